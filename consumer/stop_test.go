package consumer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

// holding runs a consumer whose worker has a batch in hand and whose fetcher
// waits with another, of twenty events in all, and returns how many are in hand, of ten
// mostly.
func holding(t *testing.T, q *Queue, o Options, handle func(context.Context, []event.Delivery) ([]event.Result, error)) (cancel func(), ended chan Summary, held int) {
	t.Helper()
	Publish(t, q, someEvents(20))
	inside := make(chan int, 20)
	h := &fake{size: 10, handle: func(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
		inside <- len(events)
		return handle(ctx, events)
	}}
	c := Quick(t, q, h, o)
	ctx, cancel := context.WithCancel(Context(t))
	ended = make(chan Summary, 1)
	go func() {
		sum, err := c.Run(ctx)
		if err != nil {
			t.Error(err)
		}
		ended <- sum
	}()
	held = Await(t, inside)
	require.Eventually(t, func() bool { return c.inHand.Load() == 2 }, Patience, time.Millisecond)
	return cancel, ended, held
}

// awaitSum waits until so many events were handled, in however many batches: a busy server
// sends few at once.
func awaitSum(t *testing.T, batches <-chan int, want int) {
	t.Helper()
	sum := 0
	for sum < want {
		sum += Await(t, batches)
	}
	require.Equal(t, want, sum)
}

func TestStopFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	commit := make(chan struct{})
	cancel, ended, held := holding(t, q, Options{}, func(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
		<-commit
		return all(events, event.Deleted), ctx.Err()
	})
	cancel()
	// The batch that has not started goes back at once, while the other runs on.
	other := OpenQueueOn(t, Dial(t, q.nc.ConnectedUrl()), StreamOptionsOf(t))
	taken := make(chan int, 20)
	running(t, Quick(t, other, &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		taken <- len(events)
		return all(events, event.Kept), nil
	}}, Options{}))
	awaitSum(t, taken, 20-held)

	close(commit)
	require.Equal(t, held, Await(t, ended).Deleted)
	require.Eventually(t, func() bool { return QueueBacklog(t, q) == Backlog{} }, Patience, 5*time.Millisecond)
}

func TestStopEndsHandlersAfterTheGrace(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	cancel, ended, _ := holding(t, q, Options{Grace: time.Millisecond}, func(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	cancel()
	require.Zero(t, Await(t, ended).Events)
	// Given back, not left to its lease.
	require.Equal(t, 20, Drain(t, q, &fake{}, Options{}).Deleted)
}

func TestDeadOwnersLeasesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := StartServer(t, dir, 0)
	opts := StreamOptionsOf(t)
	opts.Embedded = true
	q := OpenQueueOn(t, Dial(t, first.ClientURL()), opts)
	Publish(t, q, someEvents(20))
	c := Quick(t, q, &fake{size: 10}, Options{AckWait: time.Hour})
	require.NoError(t, c.startConsumer(Context(t)))
	handleBatch(t, c, takeBatch(t, c, 10))
	takeBatch(t, c, 10)
	// The process dies: no ack, no nak.
	q.nc.Close()
	first.Shutdown()
	first.WaitForShutdown()

	again := OpenQueueOn(t, Dial(t, StartServer(t, dir, 0).ClientURL()), opts)
	require.Equal(t, Backlog{Unacked: 10}, QueueBacklog(t, again))
	require.Equal(t, 10, Drain(t, again, &fake{}, Options{AckWait: time.Hour}).Deleted)
}
