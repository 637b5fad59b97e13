package reap

import (
	"context"
	"errors"
	"slices"
	"time"

	"pruned/repo"
)

const (
	maxPostpone = time.Hour
	maxWaiting  = 10 * time.Minute
	// postponedAtOnce bounds the transactions in which tombstones are postponed.
	postponedAtOnce = 500
	// settlePatience bounds what follows a removal, also when told to stop.
	settlePatience = 30 * time.Second
)

// work is how the tombstones of one kind are carried out.
type work struct {
	kind   string
	most   int
	joined bool // it is part of the transaction that holds the tombstones
	do     func(context.Context, repo.Tx, []repo.Tombstone) (carried, error)
}

// carried is what became of a set of tombstones.
type carried struct {
	done  []int64
	later []later
	notes []repo.Note
}

// later is a tombstone that is looked at again.
type later struct {
	repo.Tombstone
	delay  time.Duration
	reason string
}

// all carries out everything of a kind, in sets. A set that can never be carried
// out is halved, until the guilty one stands alone and is postponed.
func (x *Executor) all(ctx context.Context, w work) error {
	for size := w.most; ; {
		due, err := x.some(ctx, w, size)
		switch {
		case err == nil && len(due) < size:
			return nil
		case err == nil:
		case repo.KindOf(err) != repo.Permanent || len(due) == 0:
			return err
		case len(due) > 1:
			size = len(due) / 2
		default:
			if err := x.settle(ctx, carried{later: []later{x.failed(due[0], err)}}); err != nil {
				return err
			}
			size = w.most
		}
	}
}

// some carries out one set, and returns what it took.
func (x *Executor) some(ctx context.Context, w work, most int) ([]repo.Tombstone, error) {
	ctx, cancel := context.WithTimeout(ctx, executorPatience)
	defer cancel()
	if !w.joined {
		return x.beside(ctx, w, most)
	}
	due, err := x.within(ctx, w, most)
	for try := 1; errors.Is(err, errRestored) && try < restoredTries; try++ {
		due, err = x.within(ctx, w, most)
	}
	return due, err
}

// within carries out a set in one transaction, which holds it. A commit that
// fails leaves tombstones of what is gone already; removing that again succeeds.
func (x *Executor) within(ctx context.Context, w work, most int) (due []repo.Tombstone, err error) {
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		rest, c, err := x.take(ctx, tx, w.kind, most, &due)
		if err != nil || len(due) == 0 {
			return err
		}
		if len(rest) > 0 {
			did, err := w.do(ctx, tx, rest)
			if err != nil {
				return err
			}
			if err := x.stillGone(ctx, tx, rest); err != nil {
				return err
			}
			c.add(did)
		}
		return x.write(ctx, tx, c)
	})
	return due, err
}

// beside carries out a set while no transaction is open: what lies outside the
// database takes its time, and nobody is to wait for our locks meanwhile. Two
// processes may carry out the same set at once; removing what is not there
// succeeds. What was done before an error, or before we were told to stop, is
// kept.
func (x *Executor) beside(ctx context.Context, w work, most int) (due []repo.Tombstone, err error) {
	var rest []repo.Tombstone
	var c carried
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		rest, c, err = x.take(ctx, tx, w.kind, most, &due)
		if err != nil {
			return err
		}
		return x.write(ctx, tx, c)
	})
	if err != nil || len(rest) == 0 {
		return due, err
	}
	did, failure := w.do(ctx, nil, rest)
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), settlePatience)
	defer cancel()
	if err := x.settle(after, did); err != nil {
		return due, err
	}
	return due, failure
}

// take takes what is due, and drops what must not be carried out. Whether the store
// is this installation's is asked for each set, too.
func (x *Executor) take(ctx context.Context, tx repo.Tx, kind string, most int, due *[]repo.Tombstone) ([]repo.Tombstone, carried, error) {
	is, err := repo.Bound(ctx, x.DB, tx, x.storeOf(kind))
	if err != nil || !is {
		return nil, carried{}, err
	}
	if *due, err = x.DB.Due(ctx, tx, kind, most); err != nil || len(*due) == 0 {
		return nil, carried{}, err
	}
	return x.dropLiving(ctx, tx, *due)
}

// settle writes what became of a set, in short transactions.
func (x *Executor) settle(ctx context.Context, c carried) error {
	pieces := []carried{{done: c.done, notes: c.notes}}
	for piece := range slices.Chunk(c.later, postponedAtOnce) {
		pieces = append(pieces, carried{later: piece})
	}
	for _, piece := range pieces {
		if err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error { return x.write(ctx, tx, piece) }); err != nil {
			return err
		}
	}
	return nil
}

func (x *Executor) write(ctx context.Context, tx repo.Tx, c carried) error {
	s := repo.Settlement{Done: c.done, Notes: c.notes}
	for _, l := range c.later {
		s.Retry = append(s.Retry, repo.Retry{Seq: l.Seq, Delay: l.delay, Reason: l.reason})
	}
	return x.DB.Settle(ctx, tx, s)
}

func (c *carried) add(o carried) {
	c.done = append(c.done, o.done...)
	c.later = append(c.later, o.later...)
	c.notes = append(c.notes, o.notes...)
}

// failed makes a tombstone due again after a while that doubles.
func (x *Executor) failed(t repo.Tombstone, cause error) later {
	l := later{t, doubled(t, maxPostpone), cause.Error()}
	x.Log.Warn().Err(cause).Str("file", t.FileID).Str("kind", t.Kind).Dur("again_in", l.delay).Msg("a tombstone could not be carried out")
	return l
}

func doubled(t repo.Tombstone, most time.Duration) time.Duration {
	return min(time.Minute<<min(t.Attempts, 6), most)
}
