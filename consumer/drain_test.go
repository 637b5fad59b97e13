package consumer

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDrainOfNothingEnds(t *testing.T) {
	t.Parallel()
	require.Zero(t, drain(t, openQueue(t), &fake{}, Options{}).Batches)
}

func TestDrainEndsWhenNothingIsUnacked(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	publish(t, q, someClaims(1000))
	h := &fake{handle: func(_ context.Context, events []Delivery) ([]Result, error) {
		results := all(events, Deleted)
		for i := range results {
			if i%10 == 0 && events[i].Deliveries == 1 {
				results[i] = Result{Outcome: Busy, RetryIn: 1}
			}
		}
		return results, nil
	}}
	sum := drain(t, q, h, Options{Workers: 2})
	require.Equal(t, 1000, sum.Deleted)
	require.Equal(t, 100, sum.Busy)
	require.Zero(t, backlog(t, q))
}

func TestDrainWaitsForWhatIsDue(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	publish(t, q, someClaims(1))
	asked := 0
	drain(t, q, &fake{}, Options{Due: func(context.Context) (bool, error) {
		asked++
		return asked < 3, nil
	}})
	require.Equal(t, 3, asked)
}

func TestDrainWhateverTheOutcomes(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	publish(t, q, claimsOf(NewEvent("poison-1", "s", ""), NewEvent("young-1", "s", ""), NewEvent("kept-1", "s", "")))
	require.Equal(t, 3, drain(t, q, &fake{handle: byPrefix}, Options{}).Events)
}

func TestDryRunSettlesNothing(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	publish(t, q, someClaims(20))
	require.Equal(t, 20, drain(t, q, &fake{}, Options{}).Deleted)
	publish(t, q, claimsOf(NewEvent("poison-1", "s", ""), NewEvent("young-1", "s", ""), NewEvent("busy-1", "s", ""), NewEvent("kept-1", "s", "")))
	_, err := q.js.Publish(testContext(t), "pruned.orphan.s", nil)
	require.NoError(t, err)
	before := backlog(t, q)

	for range 2 {
		sum := drain(t, q, &fake{handle: byPrefix, size: 2}, Options{DryRun: true})
		sum.Duration, sum.Batches = 0, 0
		require.Equal(t, Summary{Events: 5, Poison: 1, Young: 1, Busy: 1, Kept: 1, Invalid: 1}, sum)
	}
	require.Equal(t, before, backlog(t, q))
	require.Empty(t, letters(t, q))
	for stream, consumers := range map[string]int{"PRUNED": 1, "PRUNED_LATER": 0} {
		s, err := q.js.Stream(testContext(t), stream)
		require.NoError(t, err)
		require.Equal(t, consumers, s.CachedInfo().State.Consumers, stream)
	}
	later, err := q.js.Stream(testContext(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.Zero(t, later.CachedInfo().State.Msgs)
}

func TestDryRunBeforeAnyRun(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	publish(t, q, someClaims(3))
	require.Equal(t, 3, drain(t, q, &fake{}, Options{DryRun: true}).Deleted)
	require.Equal(t, 3, drain(t, q, &fake{}, Options{}).Deleted)
}

func TestDryRunOutlivesABrokenEnvironment(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	publish(t, q, someClaims(3))
	tries := 0
	h := &fake{handle: func(_ context.Context, events []Delivery) ([]Result, error) {
		if tries++; tries == 1 {
			return nil, context.DeadlineExceeded
		}
		return all(events, Deleted), nil
	}}
	require.Equal(t, 3, drain(t, q, h, Options{DryRun: true}).Deleted)
}
