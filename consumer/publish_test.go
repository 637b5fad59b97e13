package consumer

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func TestPublishCountsWhatIsStored(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	got, err := q.Publish(Context(t), someEvents(2000), nil)
	require.NoError(t, err)
	require.Equal(t, 2000, got)
	require.EqualValues(t, 2000, QueueBacklog(t, q).Pending)
}

// No id is left for the stream to remember.
func TestTheSameEventTwiceIsTwo(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	e := event.New("f", "sweep", "")
	got, err := q.Publish(Context(t), EventsOf(e, e), nil)
	require.NoError(t, err)
	require.Equal(t, 2, got)
	require.EqualValues(t, 2, QueueBacklog(t, q).Pending)
}

func TestPublishRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	got, err := q.Publish(Context(t), EventsOf(event.New("f", "s", ""), event.New("", "s", "")), nil)
	require.ErrorContains(t, err, "subject")
	require.Equal(t, 1, got)
}

func TestPublishPassesTheProducersError(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	broken := errors.New("the list broke off")
	got, err := q.Publish(Context(t), func(yield func(event.Event, error) bool) {
		_ = yield(event.New("f", "s", ""), nil) && yield(event.Event{}, broken)
	}, nil)
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, got)
}

func TestFullStreamRefuses(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	got, err := q.Publish(Context(t), someEvents(2000), nil)
	require.ErrorIs(t, err, ErrFull)
	require.ErrorContains(t, err, "PRUNED_MAX_BYTES")
	require.Positive(t, got)
	require.EqualValues(t, got, QueueBacklog(t, q).Pending, "what was answered is stored, and nothing was dropped for it")
}

func TestPublishTellsOutcomes(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	h := &fake{handle: byPrefix}
	stop := running(t, Quick(t, q, h, Options{}))
	defer stop()

	// One file twice: both events are told.
	events := EventsOf(event.New("deleted-1", "s", ""), event.New("kept-1", "s", ""), event.New("poison-1", "s", ""),
		event.New("young-1", "s", ""), event.New("gone-1", "s", ""), event.New("gone-1", "s", ""))
	var mu sync.Mutex
	got := map[string]int{}
	_, err := q.Publish(Context(t), events, func(s Settlement) {
		mu.Lock()
		defer mu.Unlock()
		got[fmt.Sprintf("%s %s %s", s.FileID, s.Outcome, s.Detail)]++
	})
	require.NoError(t, err)
	require.Equal(t, map[string]int{
		"deleted-1 deleted because": 1, "kept-1 kept because": 1, "poison-1 poison because": 1,
		"young-1 young because": 1, "gone-1 gone because": 2,
	}, got)
}

func TestRepliesGoToInboxesOnly(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	heard, err := q.nc.SubscribeSync(">")
	require.NoError(t, err)
	for _, to := range []string{"pruned.orphan.x", "_INBOX.*", "_INBOX.>", "_INBOX.a b", ""} {
		msg := nats.NewMsg("pruned.orphan.s")
		msg.Header.Set(replyHeader, to)
		msg.Data = event.New("f", "s", "").Encode()
		require.NoError(t, q.nc.PublishMsg(msg))
	}
	require.NoError(t, q.nc.Flush())
	sum := Drain(t, q, &fake{}, Options{})
	require.Equal(t, 5, sum.Deleted+sum.Repeated)
	require.Zero(t, QueueBacklog(t, q))
	require.NoError(t, q.nc.Flush())
	n, _, err := heard.Pending()
	require.NoError(t, err)
	for range n {
		msg, err := heard.NextMsg(Patience)
		require.NoError(t, err)
		require.NotContains(t, string(msg.Data), `"outcome"`, msg.Subject)
	}
}

func TestWaitingEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	s := StartServer(t, t.TempDir(), 0)
	q := OpenQueueOn(t, Dial(t, s.ClientURL()), StreamOptionsOf(t))
	published, err := q.nc.SubscribeSync("pruned.orphan.>")
	require.NoError(t, err)
	waiting := make(chan error, 1)
	go func() {
		_, err := q.Publish(Context(t), someEvents(3), func(Settlement) {})
		waiting <- err
	}()
	for range 3 {
		_, err := published.NextMsg(Patience)
		require.NoError(t, err)
	}
	s.Shutdown()
	require.ErrorIs(t, Await(t, waiting), nats.ErrDisconnected)
}

func TestPublishHoldsFewEvents(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	var made, answered, most int
	line := newPipeline(q.js, func(_ string, _ *jetstream.PubAck, err error) error {
		answered++
		return err
	})
	err := line.sendAndAwait(Context(t), q.messagesOf(Context(t), func(yield func(event.Event, error) bool) {
		for e, err := range someEvents(20 * window) {
			made++
			most = max(most, made-answered)
			if !yield(e, err) {
				return
			}
		}
	}, nil))
	require.NoError(t, err)
	require.Equal(t, 20*window, answered)
	require.LessOrEqual(t, most, window+1)
}
