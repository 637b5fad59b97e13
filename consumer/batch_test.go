package consumer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

// scripted is a database whose transactions fail as the test says.
type scripted struct {
	repo.DB
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
	return s.DB.Lock(ctx, tx, ids, ages)
}

// script returns a batch handler of i whose transactions fail so.
func (i *installation) script(t *testing.T, ackWait time.Duration, fail func(ctx context.Context, ids []string) error) (*Batch, *scripted) {
	t.Helper()
	s := &scripted{DB: i.db, fail: fail}
	x := i.transaction()
	x.DB = s
	return NewBatch(x, 500, ackWait, testLog(t)), s
}

func failure(kind repo.Kind) error { return &repo.Error{Kind: kind, Doing: "test", Err: errScripted} }

var errScripted = errors.New("scripted")

func outcomes(results []Result) (list []Outcome) {
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
	i := install(t)
	for _, c := range []struct {
		kind   repo.Kind
		times  uint64
		others Outcome
		guilty Outcome
		tries  int
	}{
		{repo.Passing, 1, Failed, Failed, 1},
		{repo.Passing, 2, Failed, Failed, 1},
		{repo.Unknown, 1, Failed, Failed, 1},
		{repo.Unknown, 9, Failed, Failed, 1},
		{repo.Permanent, 1, Deleted, Poison, 7}, // 8: 4+4, 2+2, 1+1
		{repo.Passing, 3, Deleted, Failed, 8},   // 8: quarters of 2, then each alone, the guilty one once more with all the time
		{repo.Passing, 4, Deleted, Failed, 10},  // each alone at once
	} {
		files := i.files(t, 8)
		i.refresh(t)
		b, s := i.script(t, time.Minute, bad(files[5], c.kind))
		results, err := handle(t, b, c.times, files...)
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
	i := install(t)
	files := i.files(t, 4)
	i.refresh(t)
	b, _ := i.script(t, time.Minute, func(_ context.Context, ids []string) error {
		switch {
		case len(ids) == 4:
			return failure(repo.Permanent)
		case slices.Contains(ids, files[3]):
			return failure(repo.Environment)
		}
		return nil
	})
	results, err := handle(t, b, 1, files...)
	require.ErrorIs(t, err, errScripted)
	require.Equal(t, []Outcome{Deleted, Deleted, "", ""}, outcomes(results))
}

// Halving ends at half of the lease: what comes after would not be ours any more.
func TestHalvingEndsWithHalfOfTheLease(t *testing.T) {
	t.Parallel()
	i := install(t)
	files := i.files(t, 4)
	i.refresh(t)
	b, s := i.script(t, time.Minute, bad(files[0], repo.Permanent))
	lease := time.Now().Add(30 * time.Second) // half is over
	results, err := b.Handle(t.Context(), deliveries(1, files...), lease, nil)
	require.NoError(t, err)
	require.Equal(t, []Outcome{Failed, Failed, Failed, Failed}, outcomes(results))
	require.Len(t, s.tried, 1)
}

// No transaction but that of a single slow file outlives a third of the lease.
func TestTransactionsEndBeforeTheLease(t *testing.T) {
	t.Parallel()
	i := install(t)
	files := i.files(t, 2)
	i.refresh(t)
	var least, most time.Duration
	b, _ := i.script(t, 30*time.Second, func(ctx context.Context, ids []string) error {
		deadline, set := ctx.Deadline()
		require.True(t, set)
		least, most = min(least, time.Until(deadline)), max(most, time.Until(deadline))
		return nil
	})
	_, err := handle(t, b, 5, files...)
	require.NoError(t, err)
	require.LessOrEqual(t, most, 10*time.Second)
}

// A file whose transaction repeatedly takes too long ends up alone, with all the
// time it needs, while its lease is extended; the others do not wait for it.
func TestSlowFileEnds(t *testing.T) {
	t.Parallel()
	i := install(t)
	files := i.files(t, 40)
	slow := files[17]
	i.refresh(t)
	const ackWait = 3 * time.Second
	extended := make(chan struct{}, 1)
	b, _ := i.script(t, ackWait, func(ctx context.Context, ids []string) error {
		if !slices.Contains(ids, slow) {
			return nil
		}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < time.Minute {
			return failure(repo.Passing)
		}
		<-extended // it takes longer than the lease
		return nil
	})
	extend := func() error {
		select {
		case extended <- struct{}{}:
		default:
		}
		return nil
	}
	left := files
	for times := uint64(1); len(left) > 0; times++ {
		require.Less(t, times, uint64(12))
		results, err := b.Handle(t.Context(), deliveries(times, left...), time.Now().Add(time.Minute), extend)
		require.NoError(t, err)
		var again []string
		for n, r := range results {
			if r.Outcome != Deleted {
				require.Equal(t, Failed, r.Outcome, r.Detail)
				again = append(again, left[n])
			}
		}
		left = again
	}
	i.carryOut(t)
	for _, file := range files {
		require.Equal(t, nothing, i.left(t, file))
	}
}

// Alone with all its time, a slow file may turn out to be poison.
func TestSlowPoisonEnds(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := i.file(t)
	i.refresh(t)
	b, _ := i.script(t, time.Minute, func(ctx context.Context, ids []string) error {
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < time.Minute {
			return failure(repo.Passing)
		}
		return failure(repo.Permanent)
	})
	results, err := handle(t, b, 3, file)
	require.NoError(t, err)
	require.Equal(t, []Outcome{Poison}, outcomes(results))
	require.Equal(t, whole, i.left(t, file))
}

func TestBatchOfEverything(t *testing.T) {
	t.Parallel()
	i := install(t)
	doomed, used, busy, gone := i.file(t), i.file(t), i.file(t), repotest.NewID()
	repotest.InsertNote(t, i.Pool, used)
	i.refresh(t)
	holder := begin(t, i)
	_, err := holder.Exec(t.Context(), `SELECT FROM file WHERE id = $1 FOR UPDATE`, busy)
	require.NoError(t, err)
	b := i.batch(t, i.transaction())
	results, err := handle(t, b, 1, doomed, used, busy, gone)
	require.NoError(t, err)
	require.Equal(t, []Outcome{Deleted, Kept, Busy, Gone}, outcomes(results))
	require.EqualValues(t, chunksOfAFile, b.Chunks.Load())
	require.NoError(t, holder.Rollback(t.Context()))
}

// Two workers that meet in the same files neither wait for each other nor
// delete anything twice.
func TestWorkersShareFiles(t *testing.T) {
	t.Parallel()
	i := install(t)
	files := i.files(t, 60)
	i.refresh(t)
	b := i.batch(t, i.transaction())
	backwards := slices.Clone(files)
	slices.Reverse(backwards)
	var workers sync.WaitGroup
	for _, list := range [][]string{files, backwards} {
		workers.Go(func() {
			for {
				results, err := handle(t, b, 1, list...)
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Contains(outcomes(results), Busy) {
					return
				}
			}
		})
	}
	workers.Wait()
	i.carryOut(t)
	for _, file := range files {
		require.Equal(t, nothing, i.left(t, file))
		require.Equal(t, 1, i.recorded(t, file))
	}
}
