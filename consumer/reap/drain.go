package reap

import (
	"context"
	"errors"
	"slices"
	"time"

	"pruned/consumer/fault"
	"pruned/repo"
)

const (
	maxFailedDelay  = time.Hour
	maxWaitingDelay = 10 * time.Minute
	// retryBatchSize bounds the transactions in which tombstones are postponed.
	retryBatchSize = 500
	// settleTimeout bounds what follows a removal, also when told to stop.
	settleTimeout = 30 * time.Second
)

// task is how the tombstones of one kind are removed.
type task struct {
	kind   string
	max    int
	inTx   bool // it is part of the transaction that holds the tombstones
	remove func(context.Context, repo.Tx, []repo.Tombstone) (removal, error)
}

// reapKind carries out everything of a kind, in sets. A set that can never be carried
// out is halved, until the tombstone that fails stands alone and is postponed. While the work is
// paused no set begins.
func (x *Reaper) reapKind(ctx context.Context, w task) error {
	for size := w.max; x.Paused == nil || !x.Paused(); {
		began := time.Now()
		due, err := x.reapSet(ctx, w, size)
		x.traceSet(due, began, err)
		switch {
		case err == nil && len(due) < size:
			return nil
		case err == nil:
		case repo.KindOf(err) != repo.Permanent || len(due) == 0:
			return err
		case len(due) > 1:
			size = len(due) / 2
		default:
			if err := x.settleSet(ctx, repo.Settlement{Retry: []repo.Retry{x.retryFailed(due[0], err)}}); err != nil {
				return err
			}
			size = w.max
		}
	}
	return nil
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
	var removed Removed
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		if due, err = x.fetchDue(ctx, tx, w.kind, most); err != nil || len(due) == 0 {
			return err
		}
		rest, c, err := x.dropReferenced(ctx, tx, due)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			began := time.Now()
			did, err := w.remove(ctx, tx, rest)
			if err != nil {
				return err
			}
			x.turnsOf(w.kind).addRemoving(time.Since(began))
			fault.Point("set removed in a transaction")
			if err := x.checkStillGone(ctx, tx, rest); err != nil {
				return err
			}
			c.Add(did.Settlement)
			removed = did.removed
		}
		return x.DB.Settle(ctx, tx, c)
	})
	if err == nil {
		x.reportRemoved(removed)
	}
	return due, err
}

// reapOutsideTx carries out a set while no transaction is open: what lies outside the
// database takes its time, and nobody is to wait for our locks meanwhile. What must not
// be carried out is found right before its removal (see recheckDue). Two processes may
// carry out the same set at once; removing what is not there succeeds. What was done
// before an error, or before we were told to stop, is kept. Bytes are claimed where the
// tombstones are taken: a row comes back from the trash before that, and is found, or never
// (see repo.Trash).
func (x *Reaper) reapOutsideTx(ctx context.Context, w task, most int) (due []repo.Tombstone, err error) {
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		due, err = x.fetchDue(ctx, tx, w.kind, most)
		if err == nil && w.kind == repo.Bytes && len(due) > 0 {
			err = x.DB.ClaimBytes(ctx, tx, due)
		}
		return err
	})
	if err != nil || len(due) == 0 {
		return due, err
	}
	fault.Point("set taken")
	did, failure := w.remove(ctx, nil, due)
	fault.Point("set removed")
	x.reportRemoved(did.removed)
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := x.settleSet(after, did.Settlement); err != nil {
		return due, err
	}
	fault.Point("set settled")
	return due, failure
}

// fetchDue takes what is due. Whether the store is this installation's is asked for each
// set, too.
func (x *Reaper) fetchDue(ctx context.Context, tx repo.Tx, kind string, most int) ([]repo.Tombstone, error) {
	is, err := repo.IsApproved(ctx, x.DB, tx, x.storeOf(kind))
	if err != nil || !is {
		return nil, err
	}
	due, err := x.DB.FetchDue(ctx, tx, kind, most)
	for i, now := 0, time.Now(); i < len(due); i++ {
		due[i].Fetched = now
	}
	return due, err
}

// settleSet writes what became of a set, in short transactions.
func (x *Reaper) settleSet(ctx context.Context, c repo.Settlement) error {
	pieces := []repo.Settlement{{Done: c.Done, Notes: c.Notes}}
	for piece := range slices.Chunk(c.Retry, retryBatchSize) {
		pieces = append(pieces, repo.Settlement{Retry: piece})
	}
	for _, piece := range pieces {
		if err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error { return x.DB.Settle(ctx, tx, piece) }); err != nil {
			return err
		}
	}
	return nil
}

// retryFailed makes a tombstone due again after a while that doubles.
func (x *Reaper) retryFailed(t repo.Tombstone, cause error) repo.Retry {
	r := repo.Retry{Seq: t.Seq, Delay: retryDelay(t, maxFailedDelay), Reason: cause.Error()}
	x.Log.Warn().Err(cause).Str("file", t.FileID).Str("kind", t.Kind).Dur("again_in", r.Delay).Msg("a tombstone could not be carried out")
	return r
}

func retryDelay(t repo.Tombstone, most time.Duration) time.Duration {
	return min(time.Minute<<min(t.Attempts, 6), most)
}
