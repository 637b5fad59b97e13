package reap

import (
	"context"
	"errors"
	"slices"
	"time"

	"pruned/repo"
)

const (
	maxFailedDelay  = time.Hour
	maxWaitingDelay = 10 * time.Minute
	// retryBatchSize bounds the transactions in which tombstones are
	// postponed, each by a statement of its own.
	retryBatchSize = 500
	// settleTimeout bounds what follows a removal, also when told to stop.
	settleTimeout = 30 * time.Second
)

// task is how the tombstones of one kind are removed.
type task struct {
	kind   string
	max    int
	inTx   bool // it is part of the transaction that holds the tombstones
	remove func(context.Context, repo.Tx, []repo.Tombstone) (outcome, error)
}

// outcome is what became of a set of tombstones.
type outcome struct {
	done    []int64
	retries []retry
	notes   []ledgerNote
}

// retry is a tombstone that is looked at again.
type retry struct {
	repo.Tombstone
	delay  time.Duration
	reason string
}

// ledgerNote is for the ledger.
type ledgerNote struct{ file, text string }

// reapKind carries out everything of a kind, in sets. A set that can never be carried
// out is halved, until the tombstone that fails stands alone and is postponed.
func (x *Reaper) reapKind(ctx context.Context, w task) error {
	for size := w.max; ; {
		due, err := x.reapSet(ctx, w, size)
		switch {
		case err == nil && len(due) < size:
			return nil
		case err == nil:
		case repo.KindOf(err) != repo.Permanent || len(due) == 0:
			return err
		case len(due) > 1:
			size = len(due) / 2
		default:
			if err := x.settleSet(ctx, outcome{retries: []retry{x.retryFailed(due[0], err)}}); err != nil {
				return err
			}
			size = w.max
		}
	}
}

// reapSet carries out one set, and returns what it took.
func (x *Reaper) reapSet(ctx context.Context, w task, most int) ([]repo.Tombstone, error) {
	ctx, cancel := context.WithTimeout(ctx, setTimeout)
	defer cancel()
	if !w.inTx {
		return x.reapOutsideTx(ctx, w, most)
	}
	due, err := x.reapInTx(ctx, w, most)
	for try := 1; errors.Is(err, errRestored) && try < maxRestoredTries; try++ {
		due, err = x.reapInTx(ctx, w, most)
	}
	return due, err
}

// reapInTx carries out a set in one transaction, which holds it. A commit that
// fails leaves tombstones of what is gone already; removing that again succeeds.
func (x *Reaper) reapInTx(ctx context.Context, w task, most int) (due []repo.Tombstone, err error) {
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		rest, c, err := x.fetchDue(ctx, tx, w.kind, most, &due)
		if err != nil || len(due) == 0 {
			return err
		}
		if len(rest) > 0 {
			did, err := w.remove(ctx, tx, rest)
			if err != nil {
				return err
			}
			if err := x.checkStillGone(ctx, tx, rest); err != nil {
				return err
			}
			c.merge(did)
		}
		return x.writeOutcome(ctx, tx, c)
	})
	return due, err
}

// reapOutsideTx carries out a set while no transaction is open: what lies outside the
// database takes its time, and nobody is to wait for our locks meanwhile. Two
// processes may carry out the same set at once; removing what is not there
// succeeds. What was done before an error, or before we were told to stop, is
// kept.
func (x *Reaper) reapOutsideTx(ctx context.Context, w task, most int) (due []repo.Tombstone, err error) {
	var rest []repo.Tombstone
	var c outcome
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		rest, c, err = x.fetchDue(ctx, tx, w.kind, most, &due)
		if err != nil {
			return err
		}
		return x.writeOutcome(ctx, tx, c)
	})
	if err != nil || len(rest) == 0 {
		return due, err
	}
	did, failure := w.remove(ctx, nil, rest)
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := x.settleSet(after, did); err != nil {
		return due, err
	}
	return due, failure
}

// fetchDue takes what is due, and drops what must not be carried out. Whether the store
// is this installation's is asked for each set, too.
func (x *Reaper) fetchDue(ctx context.Context, tx repo.Tx, kind string, most int, due *[]repo.Tombstone) ([]repo.Tombstone, outcome, error) {
	is, err := repo.IsApproved(ctx, x.DB, tx, x.storeOf(kind))
	if err != nil || !is {
		return nil, outcome{}, err
	}
	if *due, err = x.DB.Due(ctx, tx, kind, most); err != nil || len(*due) == 0 {
		return nil, outcome{}, err
	}
	return x.dropReferenced(ctx, tx, *due)
}

// settleSet writes what became of a set, in short transactions.
func (x *Reaper) settleSet(ctx context.Context, c outcome) error {
	pieces := []outcome{{done: c.done, notes: c.notes}}
	for piece := range slices.Chunk(c.retries, retryBatchSize) {
		pieces = append(pieces, outcome{retries: piece})
	}
	for _, piece := range pieces {
		if err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error { return x.writeOutcome(ctx, tx, piece) }); err != nil {
			return err
		}
	}
	return nil
}

func (x *Reaper) writeOutcome(ctx context.Context, tx repo.Tx, c outcome) error {
	for _, n := range c.notes {
		if err := x.DB.Annotate(ctx, tx, n.file, n.text); err != nil {
			return err
		}
	}
	for _, l := range c.retries {
		if err := x.DB.Postpone(ctx, tx, l.Seq, l.delay, l.reason); err != nil {
			return err
		}
	}
	if len(c.done) == 0 {
		return nil
	}
	return x.DB.CloseTombstones(ctx, tx, c.done)
}

func (c *outcome) merge(o outcome) {
	c.done = append(c.done, o.done...)
	c.retries = append(c.retries, o.retries...)
	c.notes = append(c.notes, o.notes...)
}

// retryFailed makes a tombstone due again after a while that doubles.
func (x *Reaper) retryFailed(t repo.Tombstone, cause error) retry {
	l := retry{t, retryDelay(t, maxFailedDelay), cause.Error()}
	x.Log.Warn().Err(cause).Str("file", t.FileID).Str("kind", t.Kind).Dur("again_in", l.delay).Msg("a tombstone could not be carried out")
	return l
}

func retryDelay(t repo.Tombstone, most time.Duration) time.Duration {
	return min(time.Minute<<min(t.Attempts, 6), most)
}
