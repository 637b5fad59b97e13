package consumer

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func pause(t *testing.T, q *Queue, stream, name string) {
	t.Helper()
	got, err := q.js.PauseConsumer(Context(t), stream, name, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.True(t, got.Paused)
}

// A consumer that somebody paused is told from one that has nothing to do, and goes
// on when it is resumed.
func TestPausedConsumerIsSaid(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Drain(t, q, &fake{}, Options{})
	pause(t, q, "PRUNED", durableName)
	Publish(t, q, someEvents(3))

	c := Quick(t, q, &fake{}, Options{Drain: true})
	c.drainTimeout = time.Second
	_, err := c.Run(Context(t))
	require.ErrorIs(t, err, ErrConsumerPaused)
	require.ErrorContains(t, err, "consumer pruned of stream PRUNED")

	h := &fake{}
	c = Quick(t, q, h, Options{})
	c.askEvery = 0
	running(t, c)
	require.Eventually(t, func() bool { return c.paused.err() != nil && c.queueDown.err() == nil }, Patience, time.Millisecond)
	require.ErrorIs(t, c.State(), ErrConsumerPaused)
	require.Zero(t, h.files())
	_, err = q.js.ResumeConsumer(Context(t), "PRUNED", durableName)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return h.files() == 3 && c.State() == nil }, Patience, time.Millisecond)
	pause(t, q, "PRUNED", durableName)
	require.Eventually(t, func() bool { return c.State() != nil }, Patience, time.Millisecond, "also while it runs")
}

// That of a queue of our own is resumed, at the start and later; so is that of hints.
func TestPausedConsumerOfOurOwnGoesOn(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.Embedded = true
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	Drain(t, q, &fake{}, Options{})
	pause(t, q, "PRUNED", durableName)
	Publish(t, q, someEvents(3))
	h := &fake{}
	c := Quick(t, q, h, Options{})
	c.askEvery = 0
	running(t, c)
	require.Eventually(t, func() bool { return h.files() == 3 }, Patience, time.Millisecond)
	pause(t, q, "PRUNED", durableName)
	Publish(t, q, EventsOf(event.New("later", "test", "")))
	require.Eventually(t, func() bool { return h.files() == 4 }, Patience, time.Millisecond)

	hinted := NewHints(q, Log(t), func() {})
	_, err := hinted.createConsumer(Context(t))
	require.NoError(t, err)
	pause(t, q, "PRUNED_HINTS", hintsName)
	source, err := hinted.createConsumer(Context(t))
	require.NoError(t, err)
	info, err := source.Info(Context(t))
	require.NoError(t, err)
	require.False(t, info.Paused)
}

func TestPausedHintsAreSaid(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	hinted := NewHints(q, Log(t), func() {})
	source, err := hinted.createConsumer(Context(t))
	require.NoError(t, err)
	require.NoError(t, hinted.askPaused(Context(t), source))
	pause(t, q, "PRUNED_HINTS", hintsName)
	hinted.asked = time.Time{}
	require.ErrorIs(t, hinted.askPaused(Context(t), source), ErrConsumerPaused)
	_, err = hinted.createConsumer(Context(t))
	require.ErrorIs(t, err, ErrConsumerPaused)
	require.NotErrorIs(t, err, nats.ErrNoResponders)
}
