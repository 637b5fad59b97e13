package consumer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// holding runs a consumer whose worker has a batch in hand and whose fetcher
// waits with another, and returns what lets the handler go on.
func holding(t *testing.T, q *Queue, o Options, handle func(context.Context, []Delivery) ([]Result, error)) (cancel func(), ended chan Summary) {
	t.Helper()
	publish(t, q, someClaims(20))
	inside := make(chan struct{}, 2)
	h := &fake{size: 10, handle: func(ctx context.Context, events []Delivery) ([]Result, error) {
		inside <- struct{}{}
		return handle(ctx, events)
	}}
	c := quick(t, q, h, o)
	ctx, cancel := context.WithCancel(testContext(t))
	ended = make(chan Summary, 1)
	go func() {
		sum, err := c.Run(ctx)
		if err != nil {
			t.Error(err)
		}
		ended <- sum
	}()
	await(t, inside)
	require.Eventually(t, func() bool { return c.inHand.Load() == 2 }, patience, time.Millisecond)
	return cancel, ended
}

func TestStopFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	commit := make(chan struct{})
	cancel, ended := holding(t, q, Options{}, func(ctx context.Context, events []Delivery) ([]Result, error) {
		<-commit
		return all(events, Deleted), ctx.Err()
	})
	cancel()
	// The batch that has not started goes back at once, while the other runs on.
	other := openOn(t, dial(t, q.nc.ConnectedUrl()), testStream(t))
	taken := make(chan int, 1)
	running(t, quick(t, other, &fake{handle: func(_ context.Context, events []Delivery) ([]Result, error) {
		taken <- len(events)
		return all(events, Kept), nil
	}}, Options{}))
	require.Equal(t, 10, await(t, taken))

	close(commit)
	require.Equal(t, 10, await(t, ended).Deleted)
	require.Eventually(t, func() bool { return backlog(t, q) == Backlog{} }, patience, 5*time.Millisecond)
}

func TestStopEndsHandlersAfterTheGrace(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	cancel, ended := holding(t, q, Options{Grace: time.Millisecond}, func(ctx context.Context, events []Delivery) ([]Result, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	cancel()
	require.Zero(t, await(t, ended).Events)
	// Given back, not left to its lease.
	require.Equal(t, 20, drain(t, q, &fake{}, Options{}).Deleted)
}

func TestDeadOwnersLeasesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startServer(t, dir, 0)
	opts := testStream(t)
	opts.Embedded = true
	q := openOn(t, dial(t, first.ClientURL()), opts)
	publish(t, q, someClaims(20))
	c := quick(t, q, &fake{size: 10}, Options{AckWait: time.Hour})
	require.NoError(t, c.start(testContext(t)))
	done, err := c.next(testContext(t), true)
	require.NoError(t, err)
	handleBatch(t, c, done)
	lost, err := c.next(testContext(t), true)
	require.NoError(t, err)
	require.Len(t, lost.msgs, 10)
	// The process dies: no ack, no nak.
	q.nc.Close()
	first.Shutdown()
	first.WaitForShutdown()

	again := openOn(t, dial(t, startServer(t, dir, 0).ClientURL()), opts)
	require.Equal(t, Backlog{Unacked: 10}, backlog(t, again))
	require.Equal(t, 10, drain(t, again, &fake{}, Options{AckWait: time.Hour}).Deleted)
}
