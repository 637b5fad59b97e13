package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
)

// seenBytes are the bytes of files without a row, as far as a batch has looked for them. A
// look may read a whole folder, or ask a server for each file, and so happens between two
// transactions: nobody waits for a lock meanwhile.
type seenBytes struct {
	ahead []string // files of the batch, with a row or without, that no transaction has found yet
	of    map[string]sight
}

// sight is what was seen of one file. A tombstone says when that began, so that what is written
// over its bytes meanwhile stays; ages are those at its end.
type sight struct {
	blobs      []repo.Blob
	began, end time.Time
}

// maxSightAge is for how long what was seen tells that nobody brings the bytes back: after that
// it is looked for again.
const maxSightAge = 5 * time.Second

func newSeenBytes(batch []event.Delivery) *seenBytes {
	seen := &seenBytes{of: map[string]sight{}}
	for _, e := range batch {
		if e.Type == event.FileOrphaned {
			seen.ahead = append(seen.ahead, e.Subject)
		}
	}
	return seen
}

func (s *seenBytes) isFresh(id string) bool {
	one, was := s.of[id]
	return was && time.Since(one.end) < maxSightAge
}

// unseenBytesError are files without a row whose bytes must be looked for first. It rolls the
// transaction back, which is no failure.
type unseenBytesError []string

func (e unseenBytesError) Error() string {
	return fmt.Sprintf("nobody has looked yet for the bytes of %d files without a row", len(e))
}

func isUnseen(err error) bool {
	var unseen unseenBytesError
	return errors.As(err, &unseen)
}

// seeBytes looks for the bytes of these, and of all others ahead that have no row.
func (x *Transaction) seeBytes(ctx context.Context, seen *seenBytes, ids []string) error {
	err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		rowless, err := x.DB.FindRowless(ctx, tx, seen.ahead)
		for id := range rowless {
			ids = append(ids, id)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), seen.isFresh)
	began := time.Now()
	blobs, err := x.Blobs.Find(ctx, ids)
	if err != nil {
		return repo.StoreError(ctx, "look for the bytes of files without a row", err, true)
	}
	end := time.Now()
	for _, id := range ids {
		seen.of[id] = sight{blobs[id], began, end}
	}
	return nil
}

// findUnpending finds the bytes of ids without a row. Those that an earlier event has dealt
// with are left out: the second event about a file finds nothing.
func (x *Transaction) findUnpending(ctx context.Context, tx repo.Tx, seen *seenBytes, gone []string) (map[string]sight, error) {
	if unseen := slices.DeleteFunc(slices.Clone(gone), seen.isFresh); len(unseen) > 0 {
		return nil, unseenBytesError(unseen)
	}
	entombed, err := x.DB.PendingBlobs(ctx, tx, gone)
	found := make(map[string]sight, len(gone))
	for _, id := range gone {
		was := seen.of[id]
		now := sight{began: was.began, end: time.Now()}
		for _, blob := range was.blobs {
			if blob.Age += now.end.Sub(was.end); !slices.Contains(entombed[id], blob.Name) {
				now.blobs = append(now.blobs, blob)
			}
		}
		found[id] = now
	}
	seen.ahead = slices.DeleteFunc(seen.ahead, func(id string) bool { _, is := found[id]; return is })
	return found, err
}
