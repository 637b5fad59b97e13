package repo

import (
	"context"
	"time"
)

// Pruner is the database's part of the shared transaction.
type Pruner interface {
	// Lock locks the rows of table file that have one of these ids. It never
	// waits: a row held by somebody else is busy.
	Lock(ctx context.Context, tx Tx, ids []string, ages Ages) (Locked, error)

	// FindReferences says which of these ids, whose rows are locked, are mentioned by a
	// living row as of now, and of which that cannot be said. That none is may be
	// believed when RecheckReferences has succeeded, and not before.
	FindReferences(ctx context.Context, tx Tx, ids []string) (References, error)

	// FindIndexed is FindReferences without what rows mention that changed since the
	// index read them: RecheckReferences reads those, as long as it is given what was
	// found here.
	FindIndexed(ctx context.Context, tx Tx, ids []string) (References, error)

	// RecheckReferences says which of these ids are mentioned by a row that somebody else
	// committed after found, or that FindIndexed did not read, and which of the gone ids
	// have a row now.
	RecheckReferences(ctx context.Context, tx Tx, found References, ids, gone []string) (Appeared, error)

	// SetGrace notes that the ids in start are unreferenced from now on, unless
	// that was noted before, and forgets it of those in end. d is FromRows,
	// FromCollections or FromPoints.
	SetGrace(ctx context.Context, tx Tx, d Direction, start, end []string) error

	// Delete removes the rows of table file with these ids and whatever links
	// to them. Fewer rows than ids is a Permanent error. With keep, the rows go to the
	// trash for so long (see Trash); zero keeps none.
	Delete(ctx context.Context, tx Tx, ids []string, keep time.Duration) ([]Deleted, error)

	// PendingBlobs lists the names of bytes that wait for their removal, by the id
	// of the file that they belonged to.
	PendingBlobs(ctx context.Context, tx Tx, ids []string) (map[string][]string, error)

	// AddTombstones writes tombstones, RecordEntries the ledger.
	AddTombstones(ctx context.Context, tx Tx, tombstones []Tombstone) error
	RecordEntries(ctx context.Context, tx Tx, entries []Entry) error

	// MaxLockHold is how long a transaction should keep everybody else from writing
	// (see Locked.Since); zero where it does not.
	MaxLockHold() time.Duration
}

// Index is the reference index.
type Index interface {
	// IndexChanges brings the reference index up to date with what changed since the
	// last pass; IndexAll also reads whole what was never read, and takes as
	// long as that takes.
	IndexChanges(ctx context.Context) error
	IndexAll(ctx context.Context, progress Progress) error

	// PrepareLooks has so many sessions plan what every batch asks, which takes the first batch
	// of each longer than all the rest of it.
	PrepareLooks(ctx context.Context, sessions int) error

	// IndexFiles makes what FindReferences and ListReferences say of these ids true, and needs no more
	// than one search for that: of others they may say that they are unknown.
	IndexFiles(ctx context.Context, ids []string, progress Progress) error

	// IndexAge is how long ago a pass last brought the index up to date; known is false
	// before the first. It waits for no pass.
	IndexAge(ctx context.Context) (age time.Duration, known bool, err error)
}

// Progress is told how many rows of how many, by an estimate, a full pass has
// read of a table.
type Progress func(table string, done, estimate int64)
