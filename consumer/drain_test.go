package consumer

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func TestDrainOfNothingEnds(t *testing.T) {
	t.Parallel()
	require.Zero(t, Drain(t, OpenQueue(t), &fake{}, Options{}).Batches)
}

func TestDrainEndsWhenNothingIsUnacked(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(1000))
	var handled sync.Map
	h := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		results := all(events, event.Deleted)
		for i, e := range events {
			if _, again := handled.LoadOrStore(e.ID, true); !again && strings.HasSuffix(e.Subject, "0") {
				results[i] = event.Result{Outcome: event.Busy, RetryIn: 1}
			}
		}
		return results, nil
	}}
	sum := Drain(t, q, h, Options{Workers: 2})
	require.Equal(t, 1000, sum.Deleted)
	require.Equal(t, 100, sum.Busy)
	require.Zero(t, QueueBacklog(t, q))
}

func TestDrainWaitsForWhatIsDue(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(1))
	asked := 0
	Drain(t, q, &fake{}, Options{Due: func(context.Context) (bool, error) {
		asked++
		return asked < 3, nil
	}})
	require.Equal(t, 3, asked)
}

func TestDrainWhateverTheOutcomes(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, EventsOf(event.New("poison-1", "s", ""), event.New("young-1", "s", ""), event.New("kept-1", "s", "")))
	require.Equal(t, 3, Drain(t, q, &fake{handle: byPrefix}, Options{}).Events)
}

func TestDryRunSettlesNothing(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(20))
	require.Equal(t, 20, Drain(t, q, &fake{}, Options{}).Deleted)
	Publish(t, q, EventsOf(event.New("poison-1", "s", ""), event.New("young-1", "s", ""), event.New("busy-1", "s", ""), event.New("kept-1", "s", "")))
	_, err := q.js.Publish(Context(t), "pruned.orphan.s", nil)
	require.NoError(t, err)
	AwaitEvents(t, q, 5)
	before := QueueBacklog(t, q)

	for range 2 {
		sum := Drain(t, q, &fake{handle: byPrefix, size: 2}, Options{DryRun: true})
		sum.Duration, sum.Batches = 0, 0
		require.Equal(t, Summary{Events: 5, Poison: 1, Young: 1, Busy: 1, Kept: 1, Invalid: 1}, sum)
	}
	require.Equal(t, before, QueueBacklog(t, q))
	require.Empty(t, letters(t, q))
	for stream, consumers := range map[string]int{"PRUNED": 1, "PRUNED_LATER": 0} {
		s, err := q.js.Stream(Context(t), stream)
		require.NoError(t, err)
		require.Equal(t, consumers, s.CachedInfo().State.Consumers, stream)
	}
	later, err := q.js.Stream(Context(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.Zero(t, later.CachedInfo().State.Msgs)
}

func TestDryRunBeforeAnyRun(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(3))
	require.Equal(t, 3, Drain(t, q, &fake{}, Options{DryRun: true}).Deleted)
	require.Equal(t, 3, Drain(t, q, &fake{}, Options{}).Deleted)
}

func TestDryRunOutlivesABrokenEnvironment(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(3))
	tries := 0
	h := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if tries++; tries == 1 {
			return nil, context.DeadlineExceeded
		}
		return all(events, event.Deleted), nil
	}}
	require.Equal(t, 3, Drain(t, q, h, Options{DryRun: true}).Deleted)
}
