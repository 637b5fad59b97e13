package reap

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer/loop"
	"pruned/repo"
	"pruned/vectors"
)

const (
	// One transaction's worth of tombstones. Vectors may cost a scan of the
	// whole store, however many there are.
	maxBytes   = 5000
	maxVectors = 10000
	// setTimeout bounds that scan.
	setTimeout = 30 * time.Minute
)

// Database is what reaping needs of the database.
type Database interface {
	repo.Transactor
	repo.Reaper
	repo.Approvals
}

// Reaper carries out tombstones: what could not be rolled back, and therefore
// was not touched before the commit.
type Reaper struct {
	DB      Database
	Vectors vectors.Store
	Blobs   repo.Blobs
	Log     zerolog.Logger

	answerAge time.Duration // of tests; maxAnswerAge and maxNamesAge if zero

	draining sync.Mutex // one at a time in this process

	heartbeat loop.Heartbeat
	mu        sync.Mutex
	state     State
	deferred  error // why nothing is carried out for now, though it is due
}

// Run carries out what is due every interval, with rests that grow with what that
// took.
func (x *Reaper) Run(ctx context.Context, interval time.Duration) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	x.heartbeat.Beat()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		start := time.Now()
		err := x.Drain(ctx)
		x.recordRun(err)
		if err != nil && ctx.Err() == nil {
			x.Log.Warn().Err(err).Msg("tombstones could not be carried out; they are tried again")
		}
		timer.Reset(x.restAfter(interval, time.Since(start)))
	}
}

// restAfter is twenty times as long as the work where that may be a scan of a large
// table, which is worth many files. A store of its own costs by the file: there
// the same rest would keep what came meanwhile waiting for hours.
func (x *Reaper) restAfter(interval, took time.Duration) time.Duration {
	if x.removesInTx() {
		return max(interval, 20*took)
	}
	return max(interval, took)
}

// removesInTx says whether vectors go in the transactions of the rows.
func (x *Reaper) removesInTx() bool {
	_, is := x.Vectors.(vectors.Transactional)
	return is
}

// Due carries out what is due, and says whether anything is left that is. What
// waits for its store to be bound, or for rows to come back, is not.
func (x *Reaper) Due(ctx context.Context) (bool, error) {
	kinds, err := x.drainKinds(ctx)
	if err != nil {
		return true, err
	}
	if x.deferredFor() != nil {
		return false, nil
	}
	waiting, err := x.DB.Backlog(ctx, kinds...)
	return waiting.Count > 0 && waiting.DueIn <= 0, err
}

// Drain carries out everything that is due. What keeps vectors from going
// does not keep bytes.
func (x *Reaper) Drain(ctx context.Context) error {
	_, err := x.drainKinds(ctx)
	return err
}

// drainKinds also says which kinds of tombstones may be carried out.
func (x *Reaper) drainKinds(ctx context.Context) (kinds []string, failed error) {
	x.draining.Lock()
	defer x.draining.Unlock()
	var doubts error
	kinds, failed = x.approvedKinds(ctx)
	for _, kind := range kinds {
		err := x.reapKind(ctx, x.taskOf(kind))
		if errors.Is(err, repo.ErrRowsMissing) {
			doubts, err = err, nil
		}
		failed = errors.Join(failed, err)
	}
	x.setDeferred(doubts)
	return kinds, failed
}

func (x *Reaper) deferredFor() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.deferred
}

// setDeferred logs it once.
func (x *Reaper) setDeferred(doubts error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if doubts != nil && x.deferred == nil {
		x.Log.Warn().Err(doubts).Msg("tombstones that are due wait")
	}
	x.deferred = doubts
}

// storeOf is the store in which the tombstones of a kind are carried out.
func (x *Reaper) storeOf(kind string) repo.StoreInfo {
	if kind == repo.Bytes {
		return x.Blobs.Info()
	}
	return repo.StoreInfo(x.Vectors.Info())
}

// taskOf is what the tombstones of a kind ask for.
func (x *Reaper) taskOf(kind string) task {
	if kind == repo.Bytes {
		return task{kind, maxBytes, false, x.removeBytes}
	}
	return task{kind, maxVectors, x.removesInTx(), x.removeVectors}
}

// approvedKinds are the kinds of tombstones that may be carried out. What lies in a store
// that is not known to be this installation's waits until that is known, also where
// the row of this database names it: in a copy of a database, whose settings still
// name the original's store, it is the original's. A store of which that cannot be
// said does not keep the other.
func (x *Reaper) approvedKinds(ctx context.Context) (kinds []string, failed error) {
	err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		for _, kind := range []string{repo.Vectors, repo.Bytes} {
			is, err := repo.IsApproved(ctx, x.DB, tx, x.storeOf(kind))
			failed = errors.Join(failed, err)
			if is {
				kinds = append(kinds, kind)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kinds, failed
}

// Waiting is the files of which something was to go that is still there.
type Waiting struct {
	Files int
	For   string // what they wait for, in a sentence; empty where there are none
}

// Waiting counts what waits until its store is known to be this installation's, or
// else the vectors that were tried and are tried again: their store has still to carry
// it out, or failed.
func (x *Reaper) Waiting(ctx context.Context) (w Waiting, err error) {
	kinds, err := x.approvedKinds(ctx)
	if err != nil {
		return w, err
	}
	if x.deferredFor() != nil {
		waiting, err := x.DB.Backlog(ctx, repo.Vectors)
		return Waiting{int(waiting.Count), repo.ErrRowsMissing.Error()}, err
	}
	for _, kind := range []string{repo.Vectors, repo.Bytes} {
		if slices.Contains(kinds, kind) {
			continue
		}
		waiting, err := x.DB.Backlog(ctx, kind)
		if err != nil {
			return w, err
		}
		if int(waiting.Count) > w.Files {
			w = Waiting{int(waiting.Count), "nobody has said yet that " + x.storeOf(kind).Name + " is this installation's: `pruned sweep` tells how"}
		}
	}
	if w.Files > 0 || !slices.Contains(kinds, repo.Vectors) {
		return w, nil
	}
	waiting, err := x.DB.Backlog(ctx, repo.Vectors)
	if waiting.Retried > 0 {
		w = Waiting{int(waiting.Retried), waiting.Reason}
	}
	return w, err
}

// State is how the tombstones of a process are.
type State struct {
	Failures int   // of the last tries, one after the other
	Err      error // why the last one failed
}

// State says how carrying out goes.
func (x *Reaper) State() State {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state
}

// Silent is how long carrying out has not come to an end. One scan may take half an
// hour.
func (x *Reaper) Silent() time.Duration { return x.heartbeat.Age() }

func (x *Reaper) recordRun(err error) {
	x.heartbeat.Beat()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state.Err = err
	if err != nil {
		x.state.Failures++
	} else {
		x.state.Failures = 0
	}
}

// Overdue is by how much the first tombstone that may be carried out is late; zero or
// less where none is.
func (x *Reaper) Overdue(ctx context.Context) (time.Duration, error) {
	kinds, err := x.approvedKinds(ctx)
	if err != nil {
		return 0, err
	}
	waiting, err := x.DB.Backlog(ctx, kinds...)
	if waiting.Count == 0 || err != nil {
		return 0, err
	}
	return -waiting.DueIn, nil
}
