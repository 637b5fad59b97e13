package repo

import (
	"context"
	"time"
)

// Direction says where a sweep looks for what is left over.
type Direction string

// The directions. A tombstone's kinds have the same words for the stores.
const (
	FromRows    Direction = "row"    // rows of table file that nothing mentions
	FromVectors Direction = "vector" // vectors whose file has no row
	FromBytes   Direction = "bytes"  // bytes whose file has no row
)

// Listed is what a store lists of one file: one object of its bytes, or its
// vectors.
type Listed struct {
	FileID string
	Name   string        // of the object; empty for vectors
	Size   int64         // of the object, in bytes
	Chunks int64         // vectors; zero where the store does not count them
	Age    time.Duration // of the object, by its store's clock
}

// Candidate is what may be an orphan, and since when.
type Candidate struct {
	FileID    string
	Direction Direction
	// Since is when a sweep first saw it unreferenced, or without a row, by the
	// database's clock. With the id it names what a claim is about.
	Since time.Time
	Age   time.Duration // of the row or the object; of vectors, since Since
	// DueIn is how long until a claim about it is useful: until it is old enough,
	// no longer in flight, and an orphan for long enough. Zero or less when it is.
	DueIn  time.Duration
	Size   int64 // of its bytes, as far as known
	Chunks int64 // its vectors, as far as known
	// Confirmed: somebody let it go, whatever the fraction.
	Confirmed bool
	// Held: a direction that found the file, this one or another, is held, and nobody
	// let it go there. A claim makes a file not exist anywhere: it would go round that
	// hold.
	Held bool
	// Claimed is since when a claim about it is in the queue; zero if none is.
	Claimed time.Duration
}

// Census is what a sweep found in one direction.
type Census struct {
	There int64 // what there is: rows; files with vectors; objects
	// Found are the candidates that are old enough and not in flight, whether or
	// not they are due; confirmed ones are not counted.
	Found int64
}

// Hold is a direction of a sweep that was held, and what was found. A store is
// named by itself; the database's own rows are store "database".
type Hold struct {
	ID        string    `json:"id"` // of the sweep that was held first
	Direction Direction `json:"direction"`
	Store     string    `json:"store"`
	Reason    string    `json:"reason"`
	Found     int64     `json:"found"`
	There     int64     `json:"there"`
	At        time.Time `json:"at"`
}

// SweepStore is the database's part of a sweep. Sweep numbers come from Mark; what
// the sweep of a number did not mark again is no candidate any more.
//
// A sweep does, once Refresh has run: Begin; MarkRows; for each store MarkListed,
// page by page, then Unmark; Census for each direction; Candidates, page by page,
// and Claimed for those whose claims the queue has stored. Each is a transaction
// of its own, or, in a dry run, all are part of one that is rolled back.
type SweepStore interface {
	// Begin numbers a sweep.
	Begin(ctx context.Context, tx Tx) (sweep int64, err error)

	// MarkRows makes the candidates among rows exactly those of table file that no
	// living row mentions, as of the last pass, and keeps since when.
	MarkRows(ctx context.Context, tx Tx, sweep int64) error

	// MarkListed marks what a store lists of files that have no row. Bytes whose
	// name is the base name of some row's path have one, and what waits in a
	// tombstone is dealt with. What another store listed before is found anew.
	// listed is one page.
	MarkListed(ctx context.Context, tx Tx, sweep int64, d Direction, store string, listed []Listed) error

	// Unmark forgets the candidates of a direction that the sweep did not mark,
	// once the store was listed to its end.
	Unmark(ctx context.Context, tx Tx, sweep int64, d Direction) error

	// Census counts a direction's candidates. listed is how much its store
	// listed; of rows the database knows itself.
	Census(ctx context.Context, tx Tx, d Direction, ages Ages, listed int64) (Census, error)

	// Barren says that nothing in the database can be believed: there are files
	// and chats, and not a single reference; or bytes or vectors (listed), and
	// not a single file. why is a sentence, or empty.
	Barren(ctx context.Context, tx Tx, d Direction, listed int64) (why string, err error)

	// Candidates lists up to most candidates of a direction after a file id, in
	// the order of the ids.
	Candidates(ctx context.Context, tx Tx, d Direction, ages Ages, after string, most int) ([]Candidate, error)

	// Claimed notes that the queue has stored claims about these candidates.
	Claimed(ctx context.Context, tx Tx, d Direction, ids []string) error

	// NextCandidate says in how long the first candidate becomes due that has no
	// claim in the queue and is not held, in any direction; found is false where there
	// is none. A claim that is an hour old is taken for lost, here and in Candidates.
	NextCandidate(ctx context.Context, ages Ages) (in time.Duration, found bool, err error)

	// Hold keeps a held direction, which has one store: what was held of an earlier
	// one is forgotten. While it is held already, under whatever id, that one is
	// brought up to date and returned.
	Hold(ctx context.Context, tx Tx, h Hold) (Hold, error)

	// Release forgets that a direction is held, where it is no more.
	Release(ctx context.Context, tx Tx, d Direction) error

	// Holds lists what is held, oldest first.
	Holds(ctx context.Context) ([]Hold, error)

	// Confirm lets the candidates go that a held sweep found in its stores, all its
	// directions, and binds their stores to this installation. What was first found
	// after Hold was last called is not among them. They are held no more. An
	// unknown id is ErrNoHold.
	Confirm(ctx context.Context, tx Tx, id string) ([]Hold, error)

	// Retire forgets lines of the ledger that are older than keep (zero: none),
	// and candidates that no sweep has seen for that long.
	Retire(ctx context.Context, keep time.Duration) error
}

// Lease lets one process at a time sweep.
type Lease interface {
	// Lead takes the lead of sweeps for a while, or keeps it: one process at a
	// time. It is false while another one has it; a lease that ends later than it is
	// long is nobody's. Renew keeps the lead, and never takes it from another. Resign
	// gives it up.
	Lead(ctx context.Context, holder string, ttl time.Duration) (bool, error)
	Renew(ctx context.Context, holder string, ttl time.Duration) (bool, error)
	Resign(ctx context.Context, holder string) error
}
