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
	DB      repo.DB
	Vectors vectors.Store
	Blobs   repo.Blobs
	Log     zerolog.Logger

	turn sync.Mutex // one at a time in this process
}

// Run carries out what is due every interval, with rests that grow with what that
// took.
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
		x.all(ctx, work{repo.Vectors, mostVectors, x.Vectors.Joins(), x.removeVectors}),
		x.all(ctx, work{repo.Bytes, mostBytes, false, x.removeBytes}))
}

// Waiting counts the files whose vectors were to go and are still there: those
// that wait for their store, and those that failed and are tried again.
func (x *Executor) Waiting(ctx context.Context) (int, error) {
	n, err := x.DB.Tried(ctx, repo.Vectors)
	return int(n), err
}
