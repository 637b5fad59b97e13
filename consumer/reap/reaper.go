package reap

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/vectors"
)

const (
	// One transaction's worth of tombstones. Vectors may cost a scan of the
	// whole store, however many there are.
	maxBytes     = 5000
	maxVectors   = 10000
	maxLeftovers = 1000
	// setTimeout bounds that scan.
	setTimeout = 30 * time.Minute
)

// Database is what reaping needs of the database.
type Database interface {
	repo.Transactor
	repo.Reaper
	repo.Approvals
	leftover.Database
	// FindReferences says which of these are mentioned (see repo.Pruner).
	FindReferences(ctx context.Context, tx repo.Tx, ids []string) (repo.References, error)
}

// Reaper carries out tombstones: what could not be rolled back, and therefore
// was not touched before the commit.
type Reaper struct {
	DB      Database
	Vectors vectors.Store
	Blobs   repo.Blobs
	Log     zerolog.Logger
	Observe func(Removed) // is told of what went, where it was committed; of several kinds at once; may be nil
	Paused  func() bool   // says that no set may begin for now; may be nil

	Tracer trace.Tracer // makes spans of tombstones that were written under one; may be nil

	answerAge time.Duration // of tests; maxAnswerAge and maxNamesAge if zero

	once  sync.Once
	turns []*turns // of each kind, in the order of repo.AllKinds
}

func (x *Reaper) allTurns() []*turns {
	x.once.Do(func() {
		for _, kind := range repo.AllKinds {
			x.turns = append(x.turns, newTurns(kind))
		}
	})
	return x.turns
}

func (x *Reaper) turnsOf(kind string) *turns { return x.allTurns()[slices.Index(repo.AllKinds, kind)] }

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

// drainKinds also says which kinds of tombstones may be carried out. Bytes go beside
// vectors: they lie elsewhere.
func (x *Reaper) drainKinds(ctx context.Context) (kinds []string, failed error) {
	var bytes []string
	var failedBytes error
	var running sync.WaitGroup
	running.Go(func() { bytes, failedBytes = x.drainEach(ctx, repo.Bytes) })
	kinds, failed = x.drainEach(ctx, repo.VectorKinds...)
	running.Wait()
	return append(kinds, bytes...), errors.Join(failed, failedBytes)
}

// drainEach is drainKinds for some of them, one after the other.
func (x *Reaper) drainEach(ctx context.Context, kinds ...string) (approved []string, failed error) {
	for _, kind := range kinds {
		is, err := x.drainTurn(ctx, x.turnsOf(kind))
		if failed = errors.Join(failed, err); is {
			approved = append(approved, kind)
		}
	}
	return approved, failed
}

// drainTurn carries out what is due of a kind, if that is approved.
func (x *Reaper) drainTurn(ctx context.Context, t *turns) (approved bool, err error) {
	t.draining.Lock()
	defer t.draining.Unlock()
	if approved, err = x.isApproved(ctx, t.kind); err == nil && approved {
		err = x.reapKind(ctx, x.taskOf(t.kind))
	}
	var doubts error
	if errors.Is(err, repo.ErrRowsMissing) {
		doubts, err = err, nil
	}
	if t.setDeferred(doubts) {
		x.Log.Warn().Err(doubts).Str("kind", t.kind).Msg("tombstones that are due wait")
	}
	return approved, err
}

func (x *Reaper) deferredFor() error {
	for _, t := range x.allTurns() {
		if why := t.deferredFor(); why != nil {
			return why
		}
	}
	return nil
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
	switch kind {
	case repo.Bytes:
		return task{kind, maxBytes, false, x.removeBytes}
	case repo.Vectors:
		return task{kind, maxVectors, x.removesInTx(), x.removeVectors}
	}
	return task{kind, maxLeftovers, x.removesInTx(), x.removeLeftovers}
}

// isApproved says whether the tombstones of a kind may be carried out. What lies in a store
// that is not known to be this installation's waits until that is known, also where
// the row of this database names it: in a copy of a database, whose settings still
// name the original's store, it is the original's.
func (x *Reaper) isApproved(ctx context.Context, kind string) (is bool, err error) {
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		is, err = repo.IsApproved(ctx, x.DB, tx, x.storeOf(kind))
		return err
	})
	return is, err
}

// approvedKinds are those of which nothing waits for its store. A store of which that
// cannot be said does not keep the other.
func (x *Reaper) approvedKinds(ctx context.Context) (kinds []string, failed error) {
	for _, t := range x.allTurns() {
		is, err := x.isApproved(ctx, t.kind)
		if failed = errors.Join(failed, err); is {
			kinds = append(kinds, t.kind)
		}
	}
	return kinds, failed
}

// Waiting is the files, collections and points of which something was to go that is still
// there.
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
		waiting, err := x.DB.Backlog(ctx, repo.VectorKinds...)
		return Waiting{int(waiting.Count), repo.ErrRowsMissing.Error()}, err
	}
	for _, kind := range repo.AllKinds {
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
	waiting, err := x.DB.Backlog(ctx, repo.VectorKinds...)
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

// State says how carrying out goes, of the kind that fails for longer.
func (x *Reaper) State() (worst State) {
	for _, t := range x.allTurns() {
		t.mu.Lock()
		if t.state.Failures > worst.Failures {
			worst = t.state
		}
		t.mu.Unlock()
	}
	return worst
}

// Silent is how long carrying out one of the kinds has not come to an end. One scan may
// take half an hour.
func (x *Reaper) Silent() (longest time.Duration) {
	for _, t := range x.allTurns() {
		longest = max(longest, t.heartbeat.Age())
	}
	return longest
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
