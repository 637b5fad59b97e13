package consumer

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

// extensions tells of each message whose lease is extended.
func extensions(t *testing.T, q *Queue) *nats.Subscription {
	t.Helper()
	acks, err := q.nc.SubscribeSync("$JS.ACK.PRUNED.>")
	require.NoError(t, err)
	require.NoError(t, q.nc.Flush())
	return acks
}

// awaitExtensions waits until leases were extended so often.
func awaitExtensions(t *testing.T, acks *nats.Subscription, times int) {
	t.Helper()
	for range times {
		msg, err := acks.NextMsg(Patience)
		require.NoError(t, err)
		require.Equal(t, "+WPI", string(msg.Data))
	}
}

// A batch whose handler takes longer than AckWait, and the next one, which waits for that
// handler, come to nobody else.
func TestLongBatchesAreNobodyElses(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	acks, other := extensions(t, q), &fake{size: 10}
	commit := make(chan struct{})
	cancel, ended, _ := holding(t, q, Options{AckWait: time.Second}, func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		<-commit
		return all(events, event.Deleted), nil
	})
	stop := running(t, Quick(t, q, other, Options{AckWait: time.Second}))
	awaitExtensions(t, acks, 20*9) // of twenty messages, three in each second
	close(commit)
	require.Eventually(t, func() bool { return QueueBacklog(t, q) == Backlog{} }, Patience, 5*time.Millisecond)
	cancel()
	require.Equal(t, 20, Await(t, ended).Deleted)
	require.Zero(t, stop().Events)
}

// What a process had in hand that died is soon another one's, by the default.
func TestWorkOfTheDeadIsTakenOver(t *testing.T) {
	t.Parallel()
	server := StartServer(t, t.TempDir(), 0)
	q := OpenQueueOn(t, Dial(t, server.ClientURL()), StreamOptionsOf(t))
	Publish(t, q, someEvents(10))
	dead := OpenQueueOn(t, Dial(t, server.ClientURL()), StreamOptionsOf(t))
	c := Quick(t, dead, &fake{}, Options{})
	require.NoError(t, c.startConsumer(Context(t)))
	takeBatch(t, c, 10)
	require.Equal(t, 15*time.Second, c.source.CachedInfo().Config.AckWait)
	dead.nc.Close()

	done := make(chan int, 10)
	stop := running(t, Quick(t, q, &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		done <- len(events)
		return all(events, event.Deleted), nil
	}}, Options{}))
	awaitSum(t, done, 10)
	require.Equal(t, 10, stop().Deleted)
}
