package consumer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func TestWorkersShareTheWork(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(40))
	var inside atomic.Int32
	both := make(chan struct{})
	h := &fake{size: 10, handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if inside.Add(1) == 2 {
			close(both) // two transactions at the same time
		}
		<-both
		return all(events, event.Deleted), nil
	}}
	sum := Drain(t, q, h, Options{Workers: 2})
	require.Equal(t, 40, sum.Deleted)
	require.Equal(t, len(h.batches), sum.Batches)
	require.Positive(t, sum.Duration)
	require.Equal(t, 40, h.files())
}

func TestBatchSizeIsAskedEachTime(t *testing.T) {
	t.Parallel()
	c := New(OpenQueue(t), &growing{}, Options{})
	source := &piecemeal{pieces: []int{7, 7, 7}}
	c.source = source
	for range 3 {
		_, err := c.fetchNext(Context(t), true)
		require.NoError(t, err)
	}
	require.Equal(t, []int{1, 2, 3}, source.asked)
}

// growing is a handler that takes one event more each time.
type growing struct {
	fake
	asked int
}

func (g *growing) Size() int { g.asked++; return g.asked }

func TestProgress(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(30))
	var seen [][2]uint64
	h := &fake{size: 10}
	Drain(t, q, h, Options{Progress: func(done, pending uint64) { seen = append(seen, [2]uint64{done, pending}) }})
	var want [][2]uint64
	done := 0
	for _, batch := range h.batches { // of ten, where the server was not too busy
		done += len(batch)
		want = append(want, [2]uint64{uint64(done), uint64(30 - done)})
	}
	require.Equal(t, want, seen)
	require.Equal(t, 30, done)
}

func TestBrokenEnvironment(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(20))
	readOnly := errors.New("the database is read-only")
	var broken atomic.Bool
	broken.Store(true)
	asked := make(chan struct{})
	go1 := make(chan struct{})
	h := &fake{size: 10, handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if broken.Load() {
			return []event.Result{{Outcome: event.Kept}}, readOnly // the first of the ten was judged
		}
		return all(events, event.Deleted), nil
	}}
	c := Quick(t, q, h, Options{Workers: 2, Ready: func(context.Context) error {
		if !broken.Load() {
			return nil
		}
		select {
		case asked <- struct{}{}:
		case <-go1:
		}
		return readOnly
	}})
	require.Error(t, c.State())
	stop := running(t, c)
	Await(t, asked)
	require.ErrorIs(t, c.State(), readOnly)
	require.Eventually(t, func() bool { return c.inHand.Load() == 0 }, Patience, time.Millisecond)
	fetched := len(h.batches)
	require.LessOrEqual(t, fetched, 3, "nothing is fetched while it is broken, but one may have been on its way")
	for range 3 {
		Await(t, asked)
	}
	require.Len(t, h.batches, fetched)

	broken.Store(false)
	close(go1)
	require.Eventually(t, func() bool { return h.files() == 20 && QueueBacklog(t, q) == Backlog{} }, Patience, 5*time.Millisecond)
	require.NoError(t, c.State())
	sum := stop()
	require.Equal(t, fetched, sum.Kept)
	require.Equal(t, 20, sum.Events)
	require.Empty(t, letters(t, q))
	require.Error(t, c.State())
}

func TestEnvironmentThatBreaksAgainIsLeftAloneLonger(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(1))
	tries := 0
	h := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if tries++; tries < 4 {
			return nil, errors.New("no")
		}
		return all(events, event.Deleted), nil
	}}
	sum := Drain(t, q, h, Options{Ready: func(context.Context) error { return nil }})
	require.Equal(t, 1, sum.Events)
	require.Equal(t, 4, tries)
}

func TestRateLimitsBatches(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(10))
	first := make(chan int, 10)
	h := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		first <- len(events)
		return all(events, event.Deleted), nil
	}}
	stop := running(t, Quick(t, q, h, Options{Rate: 1.0 / 3600}))
	require.Equal(t, 1, Await(t, first))
	require.Equal(t, 1, stop().Events, "the next is due in an hour")

	sum := Drain(t, q, &fake{}, Options{Rate: 1e6})
	require.Equal(t, 9, sum.Events)
}

func TestLateBatchGoesBack(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(2))
	c := Quick(t, q, &fake{size: 1}, Options{})
	c.maxWaiting = 100 * time.Millisecond
	require.NoError(t, c.startConsumer(Context(t)))
	b := takeBatch(t, c, 1)
	naks, err := q.nc.SubscribeSync("$JS.ACK.PRUNED.>")
	require.NoError(t, err)
	require.NoError(t, q.nc.Flush())
	c.dispatch(Context(t), b, make(chan batch)) // no worker is free
	msg, err := naks.NextMsg(Patience)
	require.NoError(t, err)
	require.Equal(t, "-NAK", string(msg.Data))
	require.GreaterOrEqual(t, time.Since(b.fetched), c.maxWaiting)
	require.Zero(t, c.inHand.Load())
}

func TestDeletedConsumerIsMadeAgain(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	got := make(chan string, 10)
	stop := running(t, Quick(t, q, &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		for _, e := range events {
			got <- e.Subject
		}
		return all(events, event.Deleted), nil
	}}, Options{}))
	Publish(t, q, EventsOf(event.New("a", "s", "")))
	require.Equal(t, "a", Await(t, got))
	require.NoError(t, q.js.DeleteConsumer(Context(t), "PRUNED", durableName))
	require.Equal(t, "a", Await(t, got), "from the beginning: nothing may be missed")
	Publish(t, q, EventsOf(event.New("b", "s", "")))
	require.Equal(t, "b", Await(t, got))
	require.Eventually(t, func() bool { return QueueBacklog(t, q) == Backlog{} }, Patience, 5*time.Millisecond)

	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED"))
	require.Eventually(t, func() bool {
		_, err := q.js.Consumer(Context(t), "PRUNED", durableName)
		return err == nil
	}, Patience, 5*time.Millisecond)
	Publish(t, q, EventsOf(event.New("c", "s", "")))
	require.Equal(t, "c", Await(t, got))
	stop()
}

func TestClosedConnectionEndsRun(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	c := Quick(t, q, &fake{}, Options{})
	ended := make(chan error, 1)
	go func() {
		_, err := c.Run(Context(t))
		ended <- err
	}()
	Publish(t, q, someEvents(1))
	require.Eventually(t, func() bool { return c.State() == nil }, Patience, time.Millisecond)
	q.nc.Close()
	require.ErrorIs(t, Await(t, ended), nats.ErrConnectionClosed)
}

func TestStartWithoutQueueIsAnError(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED"))
	_, err := Quick(t, q, &fake{}, Options{}).Run(Context(t))
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}
