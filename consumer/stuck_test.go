package consumer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/loop"
	"pruned/repo"
)

// A drain always ends: where nothing goes on any more it says why.
func TestDrainEndsWhereNothingGoesOn(t *testing.T) {
	t.Parallel()
	away := &repo.Error{Kind: repo.Environment, Doing: "remove vectors", Err: errors.New("the store is away")}
	busy := func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		results := all(events, event.Busy)
		for i := range results {
			results[i].RetryIn = time.Millisecond
		}
		return results, nil
	}
	for name, c := range map[string]struct {
		handle func(context.Context, []event.Delivery) ([]event.Result, error)
		o      Options
		why    string
	}{
		"a store fails": {nil, Options{Due: func(context.Context) (bool, error) { return true, away }}, "the store is away"},
		"nothing can be deleted": {func(context.Context, []event.Delivery) ([]event.Result, error) { return nil, away },
			Options{Ready: func(context.Context) error { return away }}, "the store is away"},
		"a row stays locked": {busy, Options{}, "what is left is busy"},
		"an event fails": {func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
			return []event.Result{{Outcome: event.Failed, Err: errors.New("no connection"), RetryIn: time.Millisecond}}, nil
		}, Options{}, "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := OpenQueue(t)
			Publish(t, q, someEvents(1))
			c.o.Drain = true
			stuck := Quick(t, q, &fake{handle: c.handle}, c.o)
			stuck.drainTimeout = time.Second
			_, err := stuck.Run(Context(t))
			require.ErrorIs(t, err, ErrStuck)
			require.ErrorContains(t, err, c.why)
		})
	}
}

// What only a person can mend is not waited for as long as what is only put off.
func TestDrainEndsSoonerWhereNothingCanBeDeleted(t *testing.T) {
	t.Parallel()
	c := New(OpenQueue(t), &fake{}, Options{Drain: true})
	require.Equal(t, defaultDrainTimeout, c.stallTimeout())
	c.dbDown.set(errors.New("an index is blind"))
	require.Equal(t, defaultDrainTimeout/3, c.stallTimeout())
	c.dbDown.clear()
	require.Equal(t, defaultDrainTimeout, c.stallTimeout())
}

// A store that does not answer takes long to fail: the next try is no progress.
func TestDrainEndsWhereEachTryHangs(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	tries := 0
	c := Quick(t, q, &fake{}, Options{Drain: true, Due: func(ctx context.Context) (bool, error) {
		if tries++; tries > failedAgain {
			<-ctx.Done()
		}
		return true, errors.New("no answer")
	}})
	c.drainTimeout = 5 * time.Second // more than passes between two tries
	_, err := c.Run(Context(t))
	require.ErrorIs(t, err, ErrStuck)
	require.ErrorContains(t, err, "no answer")
}

func TestDrainEndsWithoutItsQueue(t *testing.T) {
	t.Parallel()
	server := StartServer(t, t.TempDir(), 0)
	q := OpenQueueOn(t, Dial(t, server.ClientURL()), StreamOptionsOf(t))
	Publish(t, q, someEvents(1))
	gone := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		server.Shutdown()
		return all(events, event.Deleted), nil
	}}
	c := Quick(t, q, gone, Options{Drain: true})
	c.drainTimeout = 3 * requestTimeout // an ack and a request may each take that long
	_, err := c.Run(Context(t))
	require.ErrorIs(t, err, ErrStuck)
	require.Regexp(t, "nats:|looking for consumer", err.Error())
}

// What takes long is not stuck.
func TestDrainWaitsForWhatIsDone(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	c := Quick(t, q, &fake{}, Options{Drain: true, Due: func(ctx context.Context) (bool, error) {
		loop.Sleep(ctx, 2*time.Second)
		return false, ctx.Err()
	}})
	c.drainTimeout = 500 * time.Millisecond
	_, err := c.Run(Context(t))
	require.NoError(t, err)
}
