package prune_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/prune"
	"pruned/repo"
	"pruned/repo/testenv"
)

// scripted is a database whose transactions fail as the test says.
type scripted struct {
	prune.Database
	fail func(ctx context.Context, ids []string) error

	mu    sync.Mutex
	tried [][]string // ids of each transaction
}

func (s *scripted) Lock(ctx context.Context, tx repo.Tx, ids []string, ages repo.Ages) (repo.Locked, error) {
	s.mu.Lock()
	s.tried = append(s.tried, ids)
	s.mu.Unlock()
	if err := s.fail(ctx, ids); err != nil {
		return repo.Locked{}, err
	}
	return s.Database.Lock(ctx, tx, ids, ages)
}

// script returns a batch handler of i whose transactions fail so.
func script(t *testing.T, i *fixture.Installation, timeout time.Duration, fail func(ctx context.Context, ids []string) error) (*prune.Handler, *scripted) {
	t.Helper()
	s := &scripted{Database: i.DB, fail: fail}
	x := i.NewTransaction()
	x.DB = s
	return prune.NewHandler(x, 500, timeout, fixture.Log(t)), s
}

func failure(kind repo.Kind) error { return &repo.Error{Kind: kind, Doing: "test", Err: errScripted} }

var errScripted = errors.New("scripted")

func outcomes(results []event.Result) (list []event.Outcome) {
	for _, r := range results {
		list = append(list, r.Outcome)
	}
	return list
}

// bad fails where a batch holds the file.
func bad(file string, kind repo.Kind) func(context.Context, []string) error {
	return func(_ context.Context, ids []string) error {
		if slices.Contains(ids, file) {
			return failure(kind)
		}
		return nil
	}
}

func TestWhatAFailureMeans(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	for _, c := range []struct {
		kind   repo.Kind
		times  uint64
		others event.Outcome
		guilty event.Outcome
		tries  int
	}{
		{repo.Passing, 1, event.Failed, event.Failed, 1},
		{repo.Passing, 2, event.Failed, event.Failed, 1},
		{repo.Unknown, 1, event.Failed, event.Failed, 1},
		{repo.Unknown, 9, event.Failed, event.Failed, 1},
		{repo.Permanent, 1, event.Deleted, event.Poison, 7}, // 8: 4+4, 2+2, 1+1
		{repo.Passing, 3, event.Deleted, event.Failed, 8},   // 8: quarters of 2, then each alone, the guilty one once more with all the time
		{repo.Passing, 4, event.Deleted, event.Failed, 10},  // each alone at once
	} {
		files := i.AddFiles(t, 8)
		i.RefreshIndex(t)
		b, s := script(t, i, time.Minute, bad(files[5], c.kind))
		results, err := fixture.HandleBatch(t, b, c.times, files...)
		require.NoError(t, err)
		for n, r := range results {
			want := c.others
			if n == 5 {
				want = c.guilty
				require.ErrorIs(t, r.Err, errScripted)
			}
			require.Equal(t, want, r.Outcome, "%s, delivery %d: %s", c.kind, c.times, r.Detail)
		}
		require.Len(t, s.tried, c.tries, "%s, delivery %d: %v", c.kind, c.times, s.tried)
	}
}

// What was done before the environment broke is told; the rest has no outcome.
func TestEnvironmentThatBreaksBetweenHalves(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 4)
	i.RefreshIndex(t)
	b, _ := script(t, i, time.Minute, func(_ context.Context, ids []string) error {
		switch {
		case len(ids) == 4:
			return failure(repo.Permanent)
		case slices.Contains(ids, files[3]):
			return failure(repo.Environment)
		}
		return nil
	})
	results, err := fixture.HandleBatch(t, b, 1, files...)
	require.ErrorIs(t, err, errScripted)
	require.Equal(t, []event.Outcome{event.Deleted, event.Deleted, "", ""}, outcomes(results))
}

// Halving ends at half of the time: other batches wait.
func TestHalvingEndsWithHalfOfTheTime(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 4)
	i.RefreshIndex(t)
	b, s := script(t, i, 3*time.Second, func(ctx context.Context, _ []string) error {
		<-ctx.Done() // a third is over
		return failure(repo.Permanent)
	})
	results, err := fixture.HandleBatch(t, b, 1, files...)
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{event.Failed, event.Failed, event.Failed, event.Failed}, outcomes(results))
	require.Len(t, s.tried, 2)
}

// No transaction but that of a single slow file outlives a third of the time.
func TestTransactionsEndInTime(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 2)
	i.RefreshIndex(t)
	var least, most time.Duration
	b, _ := script(t, i, 30*time.Second, func(ctx context.Context, ids []string) error {
		deadline, set := ctx.Deadline()
		require.True(t, set)
		least, most = min(least, time.Until(deadline)), max(most, time.Until(deadline))
		return nil
	})
	_, err := fixture.HandleBatch(t, b, 5, files...)
	require.NoError(t, err)
	require.LessOrEqual(t, most, 10*time.Second)
}

// A file whose transaction repeatedly takes too long ends up alone, with all the
// time it needs; the others do not wait for it.
func TestSlowFileEnds(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 40)
	slow := files[17]
	i.RefreshIndex(t)
	b, _ := script(t, i, 3*time.Second, func(ctx context.Context, ids []string) error {
		if !slices.Contains(ids, slow) {
			return nil
		}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < time.Minute {
			return failure(repo.Passing)
		}
		return nil
	})
	left := files
	for times := uint64(1); len(left) > 0; times++ {
		require.Less(t, times, uint64(12))
		results, err := fixture.HandleBatch(t, b, times, left...)
		require.NoError(t, err)
		var again []string
		for n, r := range results {
			if r.Outcome != event.Deleted {
				// Busy: what was cut off by its time may hold its locks for a moment longer.
				require.Contains(t, []event.Outcome{event.Failed, event.Busy}, r.Outcome, r.Detail)
				again = append(again, left[n])
			}
		}
		left = again
	}
	i.DrainTombstones(t)
	for _, file := range files {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
	}
}

// Alone with all its time, a slow file may turn out to be poison.
func TestSlowPoisonEnds(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	b, _ := script(t, i, time.Minute, func(ctx context.Context, ids []string) error {
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < time.Minute {
			return failure(repo.Passing)
		}
		return failure(repo.Permanent)
	})
	results, err := fixture.HandleBatch(t, b, 3, file)
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{event.Poison}, outcomes(results))
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
}

func TestBatchOfEverything(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	doomed, used, busy, gone := i.AddFile(t), i.AddFile(t), i.AddFile(t), testenv.NewID()
	testenv.InsertNote(t, i.Pool, used)
	i.RefreshIndex(t)
	holder := begin(t, i)
	_, err := holder.Exec(t.Context(), `SELECT FROM file WHERE id = $1 FOR UPDATE`, busy)
	require.NoError(t, err)
	b := i.NewHandler(t, i.NewTransaction())
	results, err := fixture.HandleBatch(t, b, 1, doomed, used, busy, gone)
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{event.Deleted, event.Kept, event.Busy, event.Gone}, outcomes(results))
	require.Zero(t, i.LeftOf(t, doomed).Chunks)
	require.Equal(t, fixture.Whole, i.LeftOf(t, used))
	require.NoError(t, holder.Rollback(t.Context()))
}

// Two workers that meet in the same files neither wait for each other nor
// delete anything twice.
func TestWorkersShareFiles(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 60)
	i.RefreshIndex(t)
	b := i.NewHandler(t, i.NewTransaction())
	backwards := slices.Clone(files)
	slices.Reverse(backwards)
	var workers sync.WaitGroup
	for _, list := range [][]string{files, backwards} {
		workers.Go(func() {
			for {
				results, err := fixture.HandleBatch(t, b, 1, list...)
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Contains(outcomes(results), event.Busy) {
					return
				}
			}
		})
	}
	workers.Wait()
	i.DrainTombstones(t)
	for _, file := range files {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
		require.Equal(t, 1, i.CountRecords(t, file))
	}
}

// The pieces of a batch say nothing about the size of a batch, and one that took
// too long was too large.
func TestOnlyFullBatchesChangeTheSize(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.RefreshIndex(t)
	b := i.NewHandler(t, i.NewTransaction())
	b.SetSize(4000)
	_, err := fixture.HandleBatch(t, b, 1, i.AddFiles(t, 3)...)
	require.NoError(t, err)
	require.Equal(t, 4000, b.Size())

	many := make([]string, 4000)
	for n := range many {
		many[n] = i.Name
	}
	slow, _ := script(t, i, time.Minute, bad(i.Name, 1))
	slow.SetSize(4000)
	_, err = fixture.HandleBatch(t, slow, 1, many...)
	require.NoError(t, err)
	require.Equal(t, 2000, slow.Size())
}

// Beside an application that writes the next batch is waited for, also where this one took
// several transactions.
func TestBatchesBesideAWriterComeLater(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 4)
	i.RefreshIndex(t)
	b, _ := script(t, i, time.Minute, bad(files[0], repo.Permanent))
	testenv.InsertNote(t, i.Pool, files[1])
	began := time.Now()
	_, err := fixture.HandleBatch(t, b, 1, files...)
	require.NoError(t, err)
	require.Greater(t, b.Linger(), time.Since(began)/2) // as it is where nobody writes
}

// What a transaction read before it failed counts: the next one may not read it again.
func TestFailedTransactionsCountWhatTheyRead(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	testenv.InsertNote(t, i.Pool, "nothing")
	x := i.NewTransaction()
	x.DB = failingLastLook{x.DB}
	b := i.NewHandler(t, x)
	results, err := fixture.HandleBatch(t, b, 1, file)
	require.True(t, err != nil || results[0].Outcome == event.Failed)
	require.Positive(t, b.Changed.Load())
}

// failingLastLook fails after each last look.
type failingLastLook struct{ prune.Database }

func (d failingLastLook) RecheckReferences(ctx context.Context, tx repo.Tx, look repo.References, deleted, gone []string) (repo.Appeared, error) {
	late, err := d.Database.RecheckReferences(ctx, tx, look, deleted, gone)
	return late, errors.Join(err, &repo.Error{Kind: repo.Passing, Doing: "test", Err: errors.New("the server went away")})
}
