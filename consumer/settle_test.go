package consumer

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func unacked(t *testing.T, q *Queue) int {
	t.Helper()
	return int(QueueBacklog(t, q).Unacked)
}

// once runs a consumer until a handler has seen n files, and stops it.
func once(t *testing.T, q *Queue, h *fake, n int, o Options) Summary {
	t.Helper()
	done := make(chan struct{})
	o.Progress = func(total, _ uint64) {
		if total == uint64(n) {
			close(done)
		}
	}
	stop := running(t, Quick(t, q, h, o))
	Await(t, done)
	return stop()
}

func TestEveryOutcomeIsSettled(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	var events []event.Event
	for _, o := range []event.Outcome{event.Deleted, event.Gone, event.Kept, event.Young, event.Poison, event.Busy, event.Failed, "unheard"} {
		events = append(events, event.New(string(o)+"-1", "s", ""))
	}
	Publish(t, q, EventsOf(events...))
	_, err := q.js.Publish(Context(t), "pruned.orphan.foreign", []byte("hello"))
	require.NoError(t, err)

	c := Quick(t, q, &fake{handle: byPrefix}, Options{})
	require.NoError(t, c.startConsumer(Context(t)))
	handleBatch(t, c, takeBatch(t, c, 9))
	require.Equal(t, Summary{
		Batches: 1, Events: 9, Deleted: 1, Gone: 1, Kept: 1, Young: 1, Busy: 1, Invalid: 1, Poison: 1,
		Failed: 2, // an outcome that nobody has heard of is no reason to ack
	}, c.sum)
	require.Equal(t, Backlog{Unacked: 3}, QueueBacklog(t, q), "busy and failed are delayed, all else is over")

	dead := letters(t, q)
	require.Len(t, dead, 2)
	require.Equal(t, "invalid", dead[0].Kind)
	require.Contains(t, dead[0].Error, "hello")
	require.Equal(t, "poison", dead[1].Kind)
	require.Equal(t, "poison-1", dead[1].FileID)
	require.Equal(t, "23503", dead[1].SQLState)
	require.EqualValues(t, 1, dead[1].Deliveries)
	whole, err := q.DeadLetter(Context(t), dead[0].Name)
	require.NoError(t, err)
	require.Equal(t, "hello", string(whole.Payload))

	later, err := q.js.Stream(Context(t), "PRUNED_LATER")
	require.NoError(t, err)
	_, err = later.GetLastMsgForSubject(Context(t), "pruned.later.young-1")
	require.NoError(t, err)
}

func TestNakComesAgain(t *testing.T) {
	t.Parallel()
	for _, outcome := range []event.Outcome{event.Busy, event.Failed} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			q := OpenQueue(t)
			Publish(t, q, someEvents(1))
			tries := 0 // a delivery that came too late for its request is one that nobody saw
			h := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
				if tries++; tries < 3 {
					return []event.Result{{Outcome: outcome, RetryIn: time.Millisecond}}, nil
				}
				return all(events, event.Deleted), nil
			}}
			sum := Drain(t, q, h, Options{})
			require.Equal(t, 2, *sum.counter(outcome))
			require.Equal(t, 1, sum.Deleted)
			require.Zero(t, QueueBacklog(t, q))
		})
	}
}

func TestDelaysGrow(t *testing.T) {
	t.Parallel()
	for range 100 {
		require.Equal(t, time.Hour, retryDelay(time.Hour, 1, 2))
		d := retryDelay(0, time.Second, 3*time.Second)
		require.GreaterOrEqual(t, d, time.Second)
		require.Less(t, d, 3*time.Second)
	}
	require.Equal(t, 5*time.Second, failedRetry(1))
	require.Equal(t, 10*time.Second, failedRetry(2))
	require.Equal(t, 48*time.Second, failedRetry(5))
	require.Equal(t, 48*time.Second, failedRetry(1e9))
}

func TestFileOfSeveralClaimsIsJudgedOnce(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	first := event.New("poison-1", "s", "first")
	Publish(t, q, EventsOf(first, event.New("kept-1", "s", ""), event.New("poison-1", "s", "second"), event.New("kept-1", "s", "")))
	h := &fake{handle: byPrefix}
	c := Quick(t, q, h, Options{})
	require.NoError(t, c.startConsumer(Context(t)))
	handleBatch(t, c, takeBatch(t, c, 4))
	require.Equal(t, 4, c.sum.Events)
	require.Equal(t, 1, c.sum.Kept)
	require.Equal(t, 1, c.sum.Poison)
	require.Equal(t, 2, c.sum.Repeated)
	require.Len(t, h.batches, 1)
	require.Len(t, h.batches[0], 2)
	require.Equal(t, first, h.batches[0][0].Event)
	require.Len(t, letters(t, q), 2, "each message has its dead letter")
}

func TestDeadLetterThatCannotBeStoredKeepsItsMessage(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 32 << 10
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	_, err := q.js.Publish(Context(t), "pruned.orphan.s", make([]byte, 16<<10))
	require.NoError(t, err)
	sum := once(t, q, &fake{}, 1, Options{})
	require.Equal(t, 1, sum.Failed)
	require.Equal(t, 1, unacked(t, q))
}

func TestYoungThatCannotBeScheduledComesAgain(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, EventsOf(event.New("young-1", "s", "")))
	s, err := q.js.Stream(Context(t), "PRUNED_LATER")
	require.NoError(t, err)
	cfg := s.CachedInfo().Config
	cfg.MaxMsgSize = 1
	_, err = q.js.UpdateStream(Context(t), cfg)
	require.NoError(t, err)
	sum := once(t, q, &fake{handle: byPrefix}, 1, Options{})
	require.Equal(t, 1, sum.Failed)
	require.Equal(t, 1, unacked(t, q))
}

// takeBatch takes n messages at once, however long the server needs to hand them
// out: what a fetch of the consumer gets depends on how fast that is.
func takeBatch(t *testing.T, c *Consumer, n int) batch {
	t.Helper()
	b, err := c.fetchBatch(time.Now(), n, jetstream.FetchMaxWait(Patience))
	require.NoError(t, err)
	require.Len(t, b.msgs, n)
	return b
}

// handleBatch takes one batch through a worker.
func handleBatch(t *testing.T, c *Consumer, b batch) {
	t.Helper()
	batches := make(chan batch, 1)
	b.messages, b.invalid = c.parseMessages(b.msgs)
	b.release = func() {}
	batches <- b
	close(batches)
	c.inHand.Add(1)
	c.runWorker(Context(t), batches)
}

func TestBarrierCoversTheBatch(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(500))
	c := Quick(t, q, &fake{size: 500}, Options{})
	require.NoError(t, c.startConsumer(Context(t)))
	handleBatch(t, c, takeBatch(t, c, 500))
	require.Zero(t, QueueBacklog(t, q), "when the last ack is answered all are in")
}

func TestMetadataOfForeignMessages(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	// No header, no id, the subject of nobody: it is judged by what it says.
	_, err := q.js.Publish(Context(t), "pruned.orphan.a.b.c", event.New("f", "s", "r").Encode())
	require.NoError(t, err)
	h := &fake{}
	require.Equal(t, 1, Drain(t, q, h, Options{}).Deleted)
	require.Equal(t, "f", h.batches[0][0].Subject)
}
