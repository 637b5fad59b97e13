package repo

import (
	"context"
	"time"
)

// Browser lists for people what may be long, a page at a time: what is filtered, ordered
// and counted is so by the database. It only reads, and reads no store.
type Browser interface {
	// CountFiles counts the rows of table file.
	CountFiles(ctx context.Context) (int64, error)

	// ListUnused lists a page of what sweeps found, and how many there are of it in all.
	ListUnused(ctx context.Context, ages Ages, filter UnusedFilter) (page []Unused, total int64, err error)

	// ListLedger lists a page of the ledger, newest first, and how many lines there are of
	// it in all.
	ListLedger(ctx context.Context, filter LedgerFilter) (page []Entry, total int64, err error)

	// CountFreed counts what was deleted on each of the last days, by UTC; those on which
	// nothing was are not among the answer.
	CountFreed(ctx context.Context, days int) (map[time.Time]int64, error)

	// ReadText is the beginning of the text that the application extracted from a file;
	// empty where there is none.
	ReadText(ctx context.Context, id string) (string, error)
}

// Unused is a candidate with what people know it by, as far as it has a row.
type Unused struct {
	Candidate
	Name      string
	Owner     string // id of a user
	OwnerName string
}

// UnusedFilter is which candidates are meant, those for which all of it holds, in which
// order, and which page of them.
type UnusedFilter struct {
	Direction Direction // empty: all
	ID        string    // of one file; empty: of all
	Text      string    // a part of the name or the id, in any case
	User      string    // an id, or a name in any case
	Held      bool      // only what ConfirmHold would let go, were everything confirmed
	// Sort is one of UnusedSorts; what lies first by it comes first. Empty: the first.
	Sort          string
	Limit, Offset int
}

// UnusedSorts are the largest, the oldest, what is due first (were nothing in flight), by
// name, by owner first.
var UnusedSorts = []string{"size", "age", "due", "name", "owner"}

// LedgerFilter is which lines of the ledger are meant, and which page of them.
type LedgerFilter struct {
	Text    string // a part of the path, the reason or the id, or of the name of what is in the trash, in any case
	Outcome string
	User    string    // whose files: an id, or a name in any case; only what is in the trash is known by it
	Since   time.Time // zero: all

	Limit, Offset int
}

// MaxPreview is how much ReadText reads, in characters.
const MaxPreview = 600

// DescribeUnused tells of each on a page what a sweep knows of it. read reads candidates of
// one direction by their ids.
func DescribeUnused(page []Unused, read func(d Direction, ids []string, yield func(Candidate)) error) error {
	type key struct {
		direction Direction
		id        string
	}
	ids, at := map[Direction][]string{}, map[key]int{}
	for i, u := range page {
		ids[u.Direction] = append(ids[u.Direction], u.FileID)
		at[key{u.Direction, u.FileID}] = i
	}
	for d, these := range ids {
		err := read(d, these, func(c Candidate) {
			if i, is := at[key{d, c.FileID}]; is {
				page[i].Candidate = c
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
