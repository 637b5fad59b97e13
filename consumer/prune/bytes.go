package prune

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
)

// seenBytes are the bytes of files without a row, as far as a batch has looked for them. A
// look may read a whole folder, or ask a server for each file, and so happens between two
// transactions: nobody waits for a lock meanwhile. What is written afterwards stays: it is
// younger than a tombstone that says when its bytes were seen.
type seenBytes struct {
	batch []string // the files that it is about, with a row or without
	of    map[string]sight
}

// sight is what was seen of one file, with the ages that its bytes have now.
type sight struct {
	blobs []repo.Blob
	at    time.Time
}

func newSeenBytes(batch []event.Delivery) *seenBytes {
	seen := &seenBytes{of: map[string]sight{}}
	for _, e := range batch {
		if e.Type == event.FileOrphaned {
			seen.batch = append(seen.batch, e.Subject)
		}
	}
	return seen
}

// unseenBytesError are files without a row whose bytes must be looked for first. It rolls the
// transaction back.
type unseenBytesError []string

func (e unseenBytesError) Error() string {
	return fmt.Sprintf("nobody has looked yet for the bytes of %d files without a row", len(e))
}

// seeBytes looks for the bytes of these, and of all others in the batch that have no row.
func (x *Transaction) seeBytes(ctx context.Context, seen *seenBytes, ids []string) error {
	err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		rowless, err := x.DB.FindRowless(ctx, tx, seen.batch)
		for id := range rowless {
			ids = append(ids, id)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { _, was := seen.of[id]; return was })
	at := time.Now()
	blobs, err := x.Blobs.Find(ctx, ids)
	if err != nil {
		return repo.EnvironmentError("look for the bytes of files without a row", err)
	}
	for _, id := range ids {
		seen.of[id] = sight{blobs[id], at}
	}
	return nil
}

// findUnpending finds the bytes of ids without a row. Those that an earlier event has dealt
// with are left out: the second event about a file finds nothing.
func (x *Transaction) findUnpending(ctx context.Context, tx repo.Tx, seen *seenBytes, gone []string) (map[string]sight, error) {
	var unseen unseenBytesError
	for _, id := range gone {
		if _, was := seen.of[id]; !was {
			unseen = append(unseen, id)
		}
	}
	if len(unseen) > 0 {
		return nil, unseen
	}
	entombed, err := x.DB.PendingBlobs(ctx, tx, gone)
	found := make(map[string]sight, len(gone))
	for _, id := range gone {
		one := sight{at: seen.of[id].at}
		for _, blob := range seen.of[id].blobs {
			if blob.Age += time.Since(one.at); !slices.Contains(entombed[id], blob.Name) {
				one.blobs = append(one.blobs, blob)
			}
		}
		found[id] = one
	}
	return found, err
}
