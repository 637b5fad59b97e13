package reap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/vectors"
)

// elsewhere is a store that does not lie in the database.
type elsewhere struct{ vectors.Store }

func TestRestsOfTheExecutor(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	table, beside := &Reaper{Vectors: vectors.None{}}, &Reaper{Vectors: elsewhere{}}
	require.Equal(t, interval, table.restAfter(repo.Vectors, interval, time.Millisecond, time.Millisecond))
	require.Equal(t, 20*time.Minute, table.restAfter(repo.Vectors, interval, 2*time.Minute, time.Minute))
	require.Equal(t, time.Minute, table.restAfter(repo.Vectors, interval, time.Minute, time.Millisecond), "it waited, as before a commit")
	scan := newTurns(repo.Vectors)
	scan.addRemoving(time.Second)
	scan.addRemoving(time.Second)
	require.Equal(t, 2*time.Second, scan.takeRemoving())
	require.Zero(t, scan.takeRemoving(), "the next turn's")
	for _, rest := range []func(time.Duration) time.Duration{
		func(took time.Duration) time.Duration { return table.restAfter(repo.Bytes, interval, took, took) },
		func(took time.Duration) time.Duration { return beside.restAfter(repo.Bytes, interval, took, took) },
		func(took time.Duration) time.Duration { return beside.restAfter(repo.Vectors, interval, took, took) },
	} {
		require.Equal(t, minRest, rest(time.Millisecond))
		require.Equal(t, time.Minute, rest(time.Minute))
	}
}

// A turn begins when something comes due, and at no other time before the latest: one in
// an hour is no reason to look every second.
func TestTurnsBeginWhenSomethingIsDue(t *testing.T) {
	t.Parallel()
	start := time.Now().Truncate(time.Minute)
	in := start.Add
	turns := newTurns(repo.Bytes)
	requireNext := func(want, soonest, latest time.Duration) {
		t.Helper()
		require.Equal(t, in(want), turns.next(in(soonest), in(latest)))
	}
	requireNext(10*time.Second, time.Second, 10*time.Second)
	turns.expect(in(time.Hour))
	requireNext(10*time.Second, time.Second, 10*time.Second)
	turns.expect(in(5 * time.Second))
	turns.expect(in(2100 * time.Millisecond))
	turns.expect(in(2900 * time.Millisecond))
	requireNext(3*time.Second, time.Second, 10*time.Second)
	requireNext(4*time.Second, 4*time.Second, 10*time.Second)

	turns.begin(in(4 * time.Second)) // what was due by then is carried out
	requireNext(5*time.Second, 5*time.Second, 14*time.Second)
	turns.begin(in(5 * time.Second))
	requireNext(15*time.Second, 6*time.Second, 15*time.Second)
	requireNext(time.Hour, time.Hour-time.Second, time.Hour+9*time.Second)
	turns.begin(in(time.Hour))
	requireNext(2*time.Hour, time.Hour, 2*time.Hour)
}
