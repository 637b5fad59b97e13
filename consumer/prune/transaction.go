package prune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"pruned/consumer/event"
	"pruned/consumer/fault"
	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/vectors"
)

// Database is what is needed of the database.
type Database interface {
	repo.Transactor
	repo.Pruner
	repo.Approvals

	// IndexChanges brings the reference index up to date (see repo.Index).
	IndexChanges(ctx context.Context) error
	// FindRowless says which ids no row has, and whether one had (see repo.Ownership).
	FindRowless(ctx context.Context, tx repo.Tx, ids []string) (map[string]bool, error)
}

// Leftovers is what is needed of it besides for collections and points.
type Leftovers interface {
	leftover.Database
	// ReadGrace says for how long they are known to be leftovers (see repo.Leftovers).
	ReadGrace(ctx context.Context, tx repo.Tx, d repo.Direction, ids []string) (map[string]time.Duration, error)
}

// Transaction handles orphan events in one shared transaction: the lookup of files, the
// cleanup of their vectors and their deletion commit together or not at all.
type Transaction struct {
	DB         Database
	Leftovers  Leftovers // the same database
	Vectors    vectors.Store
	Blobs      repo.Blobs
	Ages       repo.Ages
	BytesDelay time.Duration // until the bytes of a deleted file may go
	Trash      time.Duration // for so long rows are kept in the trash, and their bytes with them; zero: none is
	DryRun     bool          // takes the same path and rolls back

	// Expect is told after a commit when tombstones of a kind come due; it may be nil.
	Expect func(kind string, in time.Duration)
	// Observe is told of each try how it ended: nil for a commit, repo.ErrDryRun for a dry
	// run. Several workers do so at once. It may be nil.
	Observe func(Report, error)
}

// Report is what one transaction did.
type Report struct {
	Results    map[string]event.Result // by Event.Key: of a file its id
	Changed    int64                   // bytes of changed rows that steps 2 and 6 read, in all tries
	Rows       int64                   // of table file that went
	Chunks     int64                   // that went with them in the same transaction
	Tombstones []repo.Tombstone        // of what is still to go
	Timing     Timing
	Took       time.Duration // the last try, and all looks for bytes between the tries
	Held       time.Duration // that it kept everybody else from writing
}

// looking is how long steps 2 and 6 took.
func (r Report) looking() time.Duration { return r.Timing[Find] + r.Timing[Recheck] }

// lateReferencesError are references that others committed between steps 2 and 6, by what
// they mention, or by the key of an event. They roll the transaction back.
type lateReferencesError map[string]repo.Reference

func (r lateReferencesError) Error() string {
	return fmt.Sprintf("%d of them came into use meanwhile", len(r))
}

var errUnknownFiles = errors.New("the reference index does not know all files yet")

// known is what the next try need not find out.
type known struct {
	late    lateReferencesError // what came into use meanwhile: the files of those are left out
	indexed bool                // the index has just been brought up to date
	bytes   *seenBytes          // of files without a row
}

// Run handles events about different files.
func (x *Transaction) Run(ctx context.Context, events []event.Delivery) (Report, error) {
	return x.run(ctx, events, newSeenBytes(events))
}

// run tries until nothing has to be found out first, and no reference comes late. Where the
// index does not know a file yet it is brought up to date once; a file that is unknown even
// then stays so for longer than a batch can wait, and is kept.
func (x *Transaction) run(ctx context.Context, events []event.Delivery, bytes *seenBytes) (Report, error) {
	known := known{late: lateReferencesError{}, bytes: bytes}
	var looking time.Duration // for bytes
	for changed := int64(0); ; {
		report, err := x.try(ctx, events, known)
		changed += report.Changed
		report.Changed = changed
		report.Took += looking
		var appeared lateReferencesError
		var unseen unseenBytesError
		switch {
		case errors.Is(err, repo.ErrDryRun):
			return report, nil
		case errors.As(err, &appeared):
			maps.Copy(known.late, appeared)
		case errors.As(err, &unseen):
			began := time.Now()
			if err := x.seeBytes(ctx, bytes, unseen); err != nil {
				return report, err
			}
			looking += time.Since(began)
		case errors.Is(err, errUnknownFiles):
			if err := x.DB.IndexChanges(ctx); err != nil {
				return report, err
			}
			known.indexed = true
		default:
			return report, err
		}
	}
}

// try is the seven steps, once.
func (x *Transaction) try(ctx context.Context, events []event.Delivery, known known) (report Report, err error) {
	ctx, span := startSpan(ctx, events)
	defer func() { endSpan(span, report, err) }()
	start := time.Now()
	report.Timing = Timing{}
	var lockedSince time.Time
	endCommit := func() {}
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		view, err := x.lockAndFind(ctx, tx, events, known, report.Timing)
		lockedSince = view.locked.Since
		if err != nil {
			return err
		}
		if !known.indexed && view.hasIndexable() {
			return errUnknownFiles
		}
		plan := decide(view, x.Ages)
		if plan.isEmpty() {
			if err := x.findChanged(ctx, tx, &view, report.Timing); err != nil {
				return err
			}
			plan = decide(view, x.Ages)
		}
		if err := x.apply(ctx, tx, plan, events, &report); err != nil {
			return err
		}
		err = x.recheck(ctx, tx, &view, plan, report.Timing)
		report.Results, report.Changed = plan.results, view.found.Changed
		if err == nil && x.DryRun {
			err = repo.ErrDryRun
		}
		if err == nil {
			endCommit = report.Timing.begin(ctx, Commit)
		}
		return err
	})
	endCommit()
	if err == nil {
		fault.Point("committed")
		x.expect(report.Tombstones)
	}
	report.Took = time.Since(start)
	if !lockedSince.IsZero() {
		report.Held = time.Since(lockedSince)
	}
	if x.Observe != nil && !isUnseen(err) {
		x.Observe(report, err)
	}
	return report, err
}

func (x *Transaction) expect(tombstones []repo.Tombstone) {
	if x.Expect == nil {
		return
	}
	delays := map[string]time.Duration{}
	for _, t := range tombstones {
		delays[t.Kind] = t.Delay
	}
	for kind, in := range delays {
		x.Expect(kind, in)
	}
}
