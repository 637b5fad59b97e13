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
)

// Executor carries out tombstones: what could not be rolled back, and therefore
// was not touched before the commit.
type Executor struct {
	DB          repo.DB
	Vectors     vectors.Store
	VectorStore StoreInfo
	Blobs       repo.Blobs
	BlobStore   StoreInfo
	Log         zerolog.Logger

	turn sync.Mutex // one at a time in this process

	pulse pulse
	mu    sync.Mutex
	state ExecutorState
}

// Run carries out what is due every interval, with rests that grow with what that
// took.
func (x *Executor) Run(ctx context.Context, interval time.Duration) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	x.pulse.beat()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		start := time.Now()
		err := x.CarryOut(ctx)
		x.remember(err)
		if err != nil && ctx.Err() == nil {
			x.Log.Warn().Err(err).Msg("tombstones could not be carried out; they are tried again")
		}
		timer.Reset(x.rest(interval, time.Since(start)))
	}
}

// rest is twenty times as long as the work where that may be a scan of a large
// table, which is worth many files. A store of its own costs by the file: there
// the same rest would keep what came meanwhile waiting for hours.
func (x *Executor) rest(interval, took time.Duration) time.Duration {
	if x.Vectors.Joins() {
		return max(interval, 20*took)
	}
	return max(interval, took)
}

// Due carries out what is due, and says whether anything is left that is. What
// waits for its store to be bound is not.
func (x *Executor) Due(ctx context.Context) (bool, error) {
	if err := x.CarryOut(ctx); err != nil {
		return true, err
	}
	kinds, err := x.bound(ctx)
	if err != nil {
		return true, err
	}
	n, in, err := x.DB.NextDue(ctx, kinds...)
	return n > 0 && in <= 0, err
}

// CarryOut carries out everything that is due. What keeps vectors from going
// does not keep bytes.
func (x *Executor) CarryOut(ctx context.Context) error {
	x.turn.Lock()
	defer x.turn.Unlock()
	kinds, failed := x.bound(ctx)
	for _, kind := range kinds {
		failed = errors.Join(failed, x.all(ctx, x.workOf(kind)))
	}
	return failed
}

// workOf is what the tombstones of a kind ask for.
func (x *Executor) workOf(kind string) work {
	if kind == repo.Bytes {
		return work{kind, mostBytes, false, x.removeBytes}
	}
	return work{kind, mostVectors, x.Vectors.Joins(), x.removeVectors}
}

// bound are the kinds of tombstones that may be carried out. What lies in a store
// that others may use waits until somebody has said that the store is this
// installation's, also where the row of this database names it: in a copy of a
// database, whose settings still name the original's store, it is the original's.
func (x *Executor) bound(ctx context.Context) (kinds []string, err error) {
	for _, store := range []struct {
		kind string
		StoreInfo
	}{{repo.Vectors, x.VectorStore}, {repo.Bytes, x.BlobStore}} {
		is, err := Bound(ctx, x.DB, nil, store.StoreInfo)
		if err != nil {
			return nil, err
		}
		if is {
			kinds = append(kinds, store.kind)
		}
	}
	return kinds, nil
}

// Bound says whether everything in a store may be this installation's.
func Bound(ctx context.Context, db repo.DB, tx repo.Tx, store StoreInfo) (is bool, err error) {
	if !store.Remote {
		return true, nil
	}
	err = db.InTx(ctx, tx, func(tx repo.Tx) (err error) {
		is, err = db.Bound(ctx, tx, store.Name)
		return err
	})
	return is, err
}

// Waiting is the files whose vectors were to go and are still there.
type Waiting struct {
	Files int
	For   string // what they wait for, in a sentence; empty where there are none
}

// Waiting counts what waits until its store is bound, or else what was tried and
// is tried again: its store has still to carry it out, or failed.
func (x *Executor) Waiting(ctx context.Context) (w Waiting, err error) {
	var n int64
	is, err := Bound(ctx, x.DB, nil, x.VectorStore)
	switch {
	case err != nil:
		return w, err
	case is:
		n, w.For, err = x.DB.Tried(ctx, repo.Vectors)
	default:
		w.For = "nobody has said yet that " + x.VectorStore.Name + " is this installation's: `pruned sweep` tells how"
		n, _, err = x.DB.NextDue(ctx, repo.Vectors)
	}
	if w.Files = int(n); n == 0 {
		w.For = ""
	}
	return w, err
}
