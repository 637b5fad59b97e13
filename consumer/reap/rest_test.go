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
	require.Equal(t, interval, table.restAfter(repo.Vectors, interval, time.Millisecond))
	require.Equal(t, 20*time.Minute, table.restAfter(repo.Vectors, interval, time.Minute))
	for _, rest := range []func(time.Duration) time.Duration{
		func(took time.Duration) time.Duration { return table.restAfter(repo.Bytes, interval, took) },
		func(took time.Duration) time.Duration { return beside.restAfter(repo.Bytes, interval, took) },
		func(took time.Duration) time.Duration { return beside.restAfter(repo.Vectors, interval, took) },
	} {
		require.Equal(t, minRest, rest(time.Millisecond))
		require.Equal(t, time.Minute, rest(time.Minute))
	}
}

// A turn begins when the first thing comes due, and another for what comes due after it.
func TestTurnsBeginWhenSomethingIsDue(t *testing.T) {
	t.Parallel()
	start := time.Now()
	in := start.Add
	const soonest, latest = time.Second, 10 * time.Second
	turns := newTurns(repo.Bytes)
	requireNext := func(want time.Duration, soonest, latest time.Duration) {
		t.Helper()
		require.Equal(t, in(want), turns.next(in(soonest), in(latest)))
	}
	requireNext(latest, soonest, latest)
	turns.expect(in(20 * time.Second))
	requireNext(latest, soonest, latest)
	turns.expect(in(3 * time.Second))
	turns.expect(in(5 * time.Second))
	requireNext(3*time.Second, soonest, latest)
	requireNext(4*time.Second, 4*time.Second, latest)

	turns.begin(in(4 * time.Second)) // what was due by then is carried out, and more is to come
	requireNext(5*time.Second, 5*time.Second, 14*time.Second)
	turns.begin(in(20 * time.Second))
	requireNext(30*time.Second, 21*time.Second, 30*time.Second)
}
