package consumer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"pruned/repo"
	"pruned/vectors"
)

const (
	// One transaction's worth of tombstones. Vectors may cost a scan of the
	// whole store, however many there are.
	mostBytes   = 5000
	mostVectors = 10000
	// executorPatience bounds that scan.
	executorPatience = 30 * time.Minute
	maxPostpone      = time.Hour
)

// Executor carries out tombstones: what could not be rolled back, and therefore
// was not touched before the commit.
type Executor struct {
	DB      repo.DB
	Vectors vectors.Store
	Blobs   repo.Blobs
	Log     zerolog.Logger

	turn sync.Mutex // one at a time in this process
}

// Run carries out what is due every interval, and rests at least twenty times as
// long as that took: a scan of a large vector store is worth many files.
func (x *Executor) Run(ctx context.Context, interval time.Duration) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		start := time.Now()
		if err := x.CarryOut(ctx); err != nil && ctx.Err() == nil {
			x.Log.Warn().Err(err).Msg("tombstones could not be carried out; they are tried again")
		}
		timer.Reset(max(interval, 20*time.Since(start)))
	}
}

// Due carries out what is due, and says whether anything is left that is.
func (x *Executor) Due(ctx context.Context) (bool, error) {
	if err := x.CarryOut(ctx); err != nil {
		return true, err
	}
	n, in, err := x.DB.NextDue(ctx)
	return n > 0 && in <= 0, err
}

// CarryOut carries out everything that is due. What keeps vectors from going
// does not keep bytes.
func (x *Executor) CarryOut(ctx context.Context) error {
	x.turn.Lock()
	defer x.turn.Unlock()
	return errors.Join(
		x.all(ctx, repo.Vectors, mostVectors, x.removeVectors),
		x.all(ctx, repo.Bytes, mostBytes, x.removeBytes))
}

// remover carries out tombstones of one kind, and returns the numbers of those
// that are done.
type remover func(context.Context, repo.Tx, []repo.Tombstone) ([]int64, error)

// all carries out everything of a kind, in sets of at most most. A set that can
// never be carried out is halved, until the guilty one stands alone and is
// postponed.
func (x *Executor) all(ctx context.Context, kind string, most int, do remover) error {
	for size := most; ; {
		due, err := x.some(ctx, kind, size, do)
		switch {
		case err == nil && len(due) < size:
			return nil
		case err == nil:
		case repo.KindOf(err) != repo.Permanent || len(due) == 0:
			return err
		case len(due) > 1:
			size = len(due) / 2
		default:
			if err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error { return x.postpone(ctx, tx, due[0], err) }); err != nil {
				return err
			}
			size = most
		}
	}
}

// some carries out up to most tombstones of a kind in one transaction, which
// holds them, and returns those that it took. A commit that fails leaves
// tombstones of what is gone already; removing that again succeeds.
func (x *Executor) some(ctx context.Context, kind string, most int, do remover) (due []repo.Tombstone, err error) {
	ctx, cancel := context.WithTimeout(ctx, executorPatience)
	defer cancel()
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) (err error) {
		if due, err = x.DB.Due(ctx, tx, kind, most); err != nil || len(due) == 0 {
			return err
		}
		rest, closed, err := x.dropLiving(ctx, tx, due)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			done, err := do(ctx, tx, rest)
			if err != nil {
				return err
			}
			closed = append(closed, done...)
		}
		return x.DB.CloseTombstones(ctx, tx, closed)
	})
	return due, err
}

// postpone makes a tombstone due again after a while that doubles.
func (x *Executor) postpone(ctx context.Context, tx repo.Tx, t repo.Tombstone, cause error) error {
	delay := min(time.Minute<<min(t.Attempts, 6), maxPostpone)
	x.Log.Warn().Err(cause).Str("file", t.FileID).Str("kind", t.Kind).Dur("again_in", delay).Msg("a tombstone could not be carried out")
	return x.DB.Postpone(ctx, tx, t.Seq, delay, cause.Error())
}

// dropLiving takes out tombstones whose file exists, or whose bytes a row uses.
func (x *Executor) dropLiving(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (rest []repo.Tombstone, dropped []int64, err error) {
	living, err := x.DB.Living(ctx, tx, due)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range due {
		if !living[t.Seq] {
			rest = append(rest, t)
			continue
		}
		dropped = append(dropped, t.Seq)
		x.Log.Warn().Str("file", t.FileID).Str("kind", t.Kind).Str("name", t.Name).
			Msg("a tombstone is dropped: a row has this id or uses these bytes")
		if err := x.DB.Annotate(ctx, tx, t.FileID, t.Kind+" kept: a row has this id or uses them"); err != nil {
			return nil, nil, err
		}
	}
	return rest, dropped, nil
}

func (x *Executor) removeVectors(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (done []int64, err error) {
	ids := make([]string, len(due))
	for i, t := range due {
		ids[i] = t.FileID
		done = append(done, t.Seq)
	}
	chunks, err := x.Vectors.Remove(ctx, tx, ids)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	x.Log.Debug().Int("files", len(ids)).Int64("chunks", chunks).Msg("looked for left-over vectors")
	return done, nil
}

// removeBytes removes each; one that fails is postponed and does not hold up
// the rest.
func (x *Executor) removeBytes(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (done []int64, err error) {
	for _, t := range due {
		switch err := x.Blobs.Remove(ctx, t.Name); {
		case err == nil:
			done = append(done, t.Seq)
		case errors.Is(err, repo.ErrOutside):
			x.Log.Warn().Err(err).Str("file", t.FileID).Msg("the bytes of a deleted file are left alone")
			if err := x.DB.Annotate(ctx, tx, t.FileID, "bytes left alone: "+err.Error()); err != nil {
				return nil, err
			}
			done = append(done, t.Seq)
		default:
			if err := x.postpone(ctx, tx, t, err); err != nil {
				return nil, err
			}
		}
	}
	return done, nil
}
