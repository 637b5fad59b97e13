package consumer

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

// follow follows what is said until the test ends.
func follow(t *testing.T, q *Queue) *Follower {
	t.Helper()
	f, err := q.Follow(Context(t))
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

func setPaused(t *testing.T, q *Queue, followers ...*Follower) {
	t.Helper()
	_, was, err := q.Pause(Context(t), "Ann")
	require.NoError(t, err)
	require.False(t, was)
	for _, f := range followers {
		require.Eventually(t, f.IsPaused, Patience, time.Millisecond)
	}
}

func setResumed(t *testing.T, q *Queue) {
	t.Helper()
	was, err := q.Resume(Context(t))
	require.NoError(t, err)
	require.True(t, was)
}

// controlQueues are an embedded queue and one of others.
func controlQueues(t *testing.T, test func(t *testing.T, q *Queue)) {
	t.Helper()
	for name, embedded := range map[string]bool{"embedded": true, "of others": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := StreamOptionsOf(t)
			opts.Embedded = embedded
			test(t, OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts))
		})
	}
}

// While the work is paused no batch begins: one that was fetched goes back, however often,
// and nothing is lost or dead by that. What is under way is finished.
func TestPauseBeginsNoBatch(t *testing.T) {
	t.Parallel()
	controlQueues(t, func(t *testing.T, q *Queue) {
		begun, goOn := make(chan struct{}, 100), make(chan struct{})
		h := &fake{size: 10, handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
			begun <- struct{}{}
			<-goOn
			return all(events, event.Deleted), nil
		}}
		f := follow(t, q)
		c := Quick(t, q, h, Options{Control: f, Workers: 1})
		running(t, c)
		Publish(t, q, someEvents(100))
		Await(t, begun)
		first := h.files()
		for range 4 {
			require.Eventually(t, func() bool { return c.inHand.Load() == 2 }, Patience, time.Millisecond, "one batch waits behind the other")
			setPaused(t, q, f)
			require.Eventually(t, func() bool { return c.inHand.Load() == 1 }, Patience, time.Millisecond, "it goes back")
			setResumed(t, q)
		}
		require.Eventually(t, func() bool { return c.inHand.Load() == 2 }, Patience, time.Millisecond)
		setPaused(t, q, f)
		close(goOn)
		require.Eventually(t, func() bool { return c.inHand.Load() == 0 }, Patience, time.Millisecond, "what had begun is finished")
		require.NoError(t, c.State(), "paused is ready")
		require.Equal(t, first, h.files())
		require.Empty(t, begun)
		require.EqualValues(t, 100-first, QueueBacklog(t, q).Pending+QueueBacklog(t, q).Unacked)
		setResumed(t, q)
		require.Eventually(t, func() bool { return QueueBacklog(t, q) == Backlog{} }, Patience, time.Millisecond)
		require.Equal(t, 100, h.files())
		for _, batch := range h.batches {
			for _, e := range batch {
				require.Equal(t, 1, h.seen[e.Subject], "handled once")
			}
		}
		n, err := q.CountDeadLetters(Context(t))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// A process that starts while the work is paused begins nothing either, and is ready; a
// drain and a replay say why they end; a dry run goes on.
func TestStartWhilePaused(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(5))
	setPaused(t, q)
	h := &fake{}
	f := follow(t, q)
	require.True(t, f.IsPaused())
	c := Quick(t, q, h, Options{Control: f})
	running(t, c)
	require.Eventually(t, func() bool { return c.State() == nil }, Patience, time.Millisecond)

	_, err := Quick(t, q, h, Options{Control: f, Drain: true}).Run(Context(t))
	require.ErrorIs(t, err, ErrPaused)
	require.ErrorContains(t, err, "by Ann")
	_, err = Replay(Context(t), q, h, ReplayOptions{All: true, Control: f, Log: Log(t)})
	require.ErrorIs(t, err, ErrPaused)
	require.Zero(t, h.files())
	sum, err := Quick(t, q, &fake{}, Options{Control: f, Drain: true, DryRun: true}).Run(Context(t))
	require.NoError(t, err)
	require.Equal(t, 5, sum.Events)
	setResumed(t, q)
	require.Eventually(t, func() bool { return h.files() == 5 }, Patience, time.Millisecond)
}

// What is said reaches every follower, says since when and by whom, and is not said twice.
func TestEveryReplicaFollows(t *testing.T) {
	t.Parallel()
	controlQueues(t, func(t *testing.T, q *Queue) {
		one, other := follow(t, q), follow(t, q)
		setPaused(t, q, one, other)
		since, was, err := q.Pause(Context(t), "Bob")
		require.NoError(t, err)
		require.True(t, was)
		require.Equal(t, "Ann", since.By)
		said, err := q.ReadControl(Context(t))
		require.NoError(t, err)
		followed, changed := one.Current()
		require.Equal(t, said, followed)
		require.Equal(t, since, *said.Paused)
		setResumed(t, q)
		Await(t, changed)
		was, err = q.Resume(Context(t))
		require.NoError(t, err)
		require.False(t, was)

		require.NoError(t, q.SetRate(Context(t), new(7.0), "Ann"))
		for _, f := range []*Follower{one, other} {
			require.Eventually(t, func() bool { c, _ := f.Current(); return c.Rate != nil && c.Rate.PerSecond == 7 }, Patience, time.Millisecond)
		}
		require.NoError(t, q.SetRate(Context(t), nil, "Ann"))
		require.Eventually(t, func() bool { c, _ := other.Current(); return c == Control{} }, Patience, time.Millisecond)
	})
}

// A bucket that was deleted says nothing any more, and one that somebody wrote into by
// other means is no failure.
func TestFollowerOutlivesItsBucket(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	f, err := q.followAnew(Context(t), 10*time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	setPaused(t, q, f)
	require.NoError(t, q.js.DeleteKeyValue(Context(t), q.names.controlBucket()))
	said, err := q.ReadControl(Context(t))
	require.NoError(t, err)
	require.Equal(t, Control{}, said)
	require.NoError(t, q.ensureStreams(Context(t)))
	require.Eventually(t, func() bool { return !f.IsPaused() }, Patience, time.Millisecond)

	bucket, err := q.js.KeyValue(Context(t), q.names.controlBucket())
	require.NoError(t, err)
	for key, value := range map[string]string{rateKey: "fast", pausedKey: "yes", "another": "thing"} {
		_, err = bucket.PutString(Context(t), key, value)
		require.NoError(t, err)
	}
	require.Eventually(t, f.IsPaused, Patience, time.Millisecond)
	said, err = q.ReadControl(Context(t))
	require.NoError(t, err)
	require.Equal(t, "somebody", said.Paused.By)
	require.Nil(t, said.Rate)
	require.NoError(t, q.Remove(Context(t)))
	_, err = q.js.Stream(Context(t), q.names.controlStream())
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}

// A rate that is raised ends the wait for the one before.
func TestRateChangesAtOnce(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	f := follow(t, q)
	var done atomic.Uint64
	c := Quick(t, q, &fake{}, Options{Control: f, Rate: 0.001, Progress: func(n, _ uint64) { done.Store(n) }})
	running(t, c)
	Publish(t, q, someEvents(50))
	require.Eventually(t, func() bool { return done.Load() == 1 }, Patience, time.Millisecond)
	require.NoError(t, q.SetRate(Context(t), new(0.0), "Ann"))
	require.Eventually(t, func() bool { return done.Load() == 50 }, Patience, time.Millisecond)
	require.NoError(t, q.SetRate(Context(t), nil, "Ann"))
	require.Eventually(t, func() bool { c, _ := f.Current(); return c.Rate == nil }, Patience, time.Millisecond)
}

// Rates are written as people know them; what is none is named.
func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"50/s": 50, "0.5/s": 0.5, "none": 0} {
		rate, err := ParseRate(text)
		require.NoError(t, err, text)
		require.InDelta(t, want, *rate, 0)
	}
	rate, err := ParseRate("reset")
	require.NoError(t, err)
	require.Nil(t, rate)
	for _, text := range []string{"", "50", "0/s", "-1/s", "x/s", "NaN/s", "Inf/s", "1e9/s", "5/m", "None"} {
		_, err := ParseRate(text)
		require.ErrorContains(t, err, "wanted N/s such as", text)
	}
	require.Equal(t, "at most 0.5 events/s in each process, as PRUNED_RATE says", Control{}.DescribeRate(0.5))
	require.Equal(t, "no limit of the rate, as was said by Ann", Control{Rate: &RateOrder{Order: Order{By: "Ann"}}}.DescribeRate(5))
}
