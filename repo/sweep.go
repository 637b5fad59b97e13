package repo

import (
	"context"
	"time"
)

// Direction says where a sweep looks for what is left over.
type Direction string

// The directions. A tombstone's kinds have the same words for the stores. In some another
// name stands for a file's id: that of a collection; a collection's, a slash, and a
// point's; a folder's; a table's, a slash, and a row's id. About folders and dangling rows no
// event is ever published, and so none is among what NextCandidate waits for.
const (
	FromRows    Direction = "row"    // rows of table file that nothing mentions
	FromVectors Direction = "vector" // vectors whose file has no row
	FromBytes   Direction = "bytes"  // bytes whose file has no row
	FromFolders Direction = "folder" // folders of vectors whose collection was dropped

	FromCollections Direction = "collection" // collections that nothing mentions, or whose user is gone
	FromPoints      Direction = "points"     // points whose row is gone, and chunks of files that were taken out of a knowledge base

	FromDangling Direction = "dangling" // rows that nothing in the application can reach
)

// IsLeftover says that the candidates of a direction are collections, points or dangling
// rows, about which table file says nothing.
func (d Direction) IsLeftover() bool {
	return d == FromCollections || d == FromPoints || d == FromDangling
}

// Kind is that of the tombstones of what a direction finds in a store.
func (d Direction) Kind() string {
	switch d {
	case FromBytes:
		return Bytes
	case FromCollections:
		return Collection
	case FromPoints:
		return Points
	}
	return Vectors
}

// Listed is what a store lists of one file: one object of its bytes, or its
// vectors in one collection.
type Listed struct {
	FileID    string
	Name      string        // of the object; empty for vectors
	Shared    string        // the collection, where it is not the file's own; empty for objects
	Size      int64         // of the object, in bytes
	Allocated int64         // what the object takes, see Blob
	Chunks    int64         // vectors; zero where the store does not count them
	Age       time.Duration // of the object, by its store's clock
}

// Candidate is what may be an orphan, and since when.
type Candidate struct {
	FileID    string
	Direction Direction
	// Since is when a sweep first saw it unreferenced, or without a row, by the
	// database's clock. With the id it names what an event is about.
	Since time.Time
	Age   time.Duration // of the row or the object; of anything else, since Since
	// DueIn is how long until an event about it is useful: until it is old enough,
	// no longer in flight, and an orphan for long enough. Zero or less when it is.
	DueIn  time.Duration
	Size   int64 // of its bytes, as far as known
	Chunks int64 // its vectors, as far as known
	// Confirmed: somebody let it go, whatever the fraction; ConfirmedBy is the id by which.
	Confirmed   bool
	ConfirmedBy string
	// Held: a direction that found the file, this one or another, is held, and nobody
	// let it go there. An event makes a file not exist anywhere: it would go round that
	// hold.
	Held bool
	// EnqueuedFor is how long an event about it has been in the queue; zero if none is.
	EnqueuedFor time.Duration
}

// CandidateCount counts what a sweep found in one direction.
type CandidateCount struct {
	Total int64 // what there is: rows; files with vectors; objects
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
	Total     int64     `json:"total"`
	At        time.Time `json:"at"`
	// ShownAt is when the last sweep showed it: candidates since then were shown to nobody.
	ShownAt time.Time `json:"-"`
}

// SweepStore is the database's part of a sweep. Sweep numbers come from
// BeginSweep; what the sweep of a number did not upsert again is no candidate any more.
//
// A sweep does, once IndexAll has run: BeginSweep; UpsertRowCandidates; for each store
// UpsertListed, page by page, then DropStale; CountCandidates for each direction;
// ListCandidates, page by page, and MarkEnqueued for those whose events the queue has
// stored. Each is a transaction of its own, or, in a dry run, all are part of one that
// is rolled back.
type SweepStore interface {
	// BeginSweep numbers a sweep.
	BeginSweep(ctx context.Context, tx Tx) (sweep int64, err error)

	// UpsertRowCandidates makes the candidates among rows exactly those of table file that no
	// living row mentions, as of the last pass, and keeps since when.
	UpsertRowCandidates(ctx context.Context, tx Tx, sweep int64) error

	// UpsertListed makes candidates of what a store lists of files that have no row, or of
	// the collections, points or dangling rows that are given. Bytes whose name is the base name of some
	// row's path have one, and what waits in a tombstone is dealt with. What another store listed before is found anew.
	// listed is one page.
	// A collection with another number of chunks is found anew, too: somebody may be about
	// to use it again.
	UpsertListed(ctx context.Context, tx Tx, sweep int64, d Direction, store string, listed []Listed) error

	// DropStale forgets the candidates of a direction that the sweep did not upsert,
	// once the store was listed to its end.
	DropStale(ctx context.Context, tx Tx, sweep int64, d Direction) error

	// CountCandidates counts a direction's candidates. listed is how much its store
	// listed; of rows the database knows itself.
	CountCandidates(ctx context.Context, tx Tx, d Direction, ages Ages, listed int64) (CandidateCount, error)

	// CheckSanity says that nothing in the database can be believed: there are files
	// and chats, and not a single reference; or bytes or vectors (listed), and
	// not a single file; or collections or points, and not a single user. why is a
	// sentence, or empty.
	CheckSanity(ctx context.Context, tx Tx, d Direction, listed int64) (why string, err error)

	// ListCandidates lists up to most candidates of a direction after a file id, in
	// the order of the ids.
	ListCandidates(ctx context.Context, tx Tx, d Direction, ages Ages, after string, most int) ([]Candidate, error)

	// MarkEnqueued notes that the queue has stored events about these candidates.
	MarkEnqueued(ctx context.Context, tx Tx, d Direction, ids []string) error

	// NextCandidate says in how long the first candidate becomes due that has no
	// event in the queue and is not held, in any direction; found is false where there
	// is none. Where one is due already it may be another one than the first. An event that is an hour old is taken for lost, here and in ListCandidates.
	NextCandidate(ctx context.Context, ages Ages) (in time.Duration, found bool, err error)

	// SetHold keeps a held direction, which has one store: what was held of an earlier
	// one is forgotten. While it is held already, under whatever id, that one is
	// brought up to date and returned.
	SetHold(ctx context.Context, tx Tx, h Hold) (Hold, error)

	// ClearHold forgets that a direction is held, where it is no more.
	ClearHold(ctx context.Context, tx Tx, d Direction) error

	// ListHolds lists what is held, oldest first.
	ListHolds(ctx context.Context) ([]Hold, error)

	// ExpireOld forgets lines of the ledger and confirmations that are older than keep
	// (zero: none), and candidates that no sweep has seen for that long. What is in the trash for longer
	// than it is kept, and a keep that ended, goes in any case.
	ExpireOld(ctx context.Context, keep time.Duration) error
}

// FirstDue is how many candidates of a direction NextCandidate looks at before it looks at
// all: those that can be due first by what is known of them without their rows.
const FirstDue = 100

// Lease lets one process at a time sweep.
type Lease interface {
	// AcquireLease takes the lead of sweeps for a while, or keeps it: one process at a
	// time. It is false while another one has it; a lease that ends later than it is
	// long is nobody's. RenewLease keeps it, and never takes it from another. ReleaseLease
	// gives it up.
	AcquireLease(ctx context.Context, holder string, ttl time.Duration) (bool, error)
	RenewLease(ctx context.Context, holder string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, holder string) error
}
