package consumer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func TestHintIsStoredOnce(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	const asItCame = `{"id":"6f", "event":"chat.deleted" }`
	for range 2 {
		require.NoError(t, q.PublishHint(Context(t), "6f", "chat.deleted", []byte(asItCame)))
	}
	require.NoError(t, q.PublishHint(Context(t), "7\r\nf", "odd event *>", nil))
	var subjects, ids []string
	for msg, err := range q.readStream(Context(t), "PRUNED_HINTS", jetstream.ConsumerConfig{}) {
		require.NoError(t, err)
		subjects, ids = append(subjects, msg.Subject()), append(ids, msg.Headers().Get(jetstream.MsgIDHeader))
		if len(subjects) == 1 {
			require.True(t, bytes.Equal([]byte(asItCame), msg.Data()))
		}
	}
	require.Equal(t, []string{q.names.hintSubject("chat.deleted"), q.names.hintSubject("odd event *>")}, subjects)
	require.Equal(t, []string{"6f", "7%0D%0Af"}, ids)
	require.Zero(t, QueueBacklog(t, q).Pending, "no events")
}

func TestClaimIsStoredOnce(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	e := event.New("f", "openwebui", "file.deleted")
	for range 2 {
		require.NoError(t, q.PublishEvent(Context(t), e))
	}
	require.Equal(t, []event.Event{e}, EventsIn(t, q))
	require.ErrorContains(t, q.PublishEvent(Context(t), event.Event{}), "an event to publish")
}

func TestHintsOfAQueueThatStoresNothing(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	server := StartServer(t, t.TempDir(), 0)
	q := OpenQueueOn(t, Dial(t, server.ClientURL()), opts)
	_, err := q.Publish(Context(t), someEvents(2000), nil)
	require.ErrorIs(t, err, ErrFull)
	require.ErrorIs(t, q.PublishEvent(Context(t), event.New("f", "s", strings.Repeat("r", 1000))), ErrFull)
	require.NoError(t, q.PublishHint(Context(t), "a", "chat.deleted", make([]byte, 1000)), "hints have room of their own")
	lost := q.nc.StatusChanged(nats.RECONNECTING)
	server.Shutdown()
	Await(t, lost)
	require.ErrorIs(t, q.PublishHint(Context(t), "b", "chat.deleted", nil), nats.ErrDisconnected)
	require.ErrorIs(t, q.PublishEvent(Context(t), event.New("f", "s", "")), nats.ErrDisconnected)
}

// Hints that nobody reads fill nothing: neither their stream, nor that of events.
func TestHintsFillNothing(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 256 << 10
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	for n := range 200 {
		require.NoError(t, q.PublishHint(Context(t), fmt.Sprint(n), "chat.deleted", make([]byte, 1000)))
	}
	told, err := q.js.Stream(Context(t), "PRUNED_HINTS")
	require.NoError(t, err)
	require.Less(t, told.CachedInfo().State.Msgs, uint64(200))
	require.EqualValues(t, 200, told.CachedInfo().State.LastSeq)
	Publish(t, q, someEvents(100))
	require.Equal(t, 100, Drain(t, q, &fake{}, Options{}).Deleted)
}

// Older releases kept hints beside the events. What is left of them neither blocks
// the stream nor keeps its room.
func TestHintsOfOlderReleasesGiveWay(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(Context(t), jetstream.StreamConfig{
		Name: "PRUNED", Subjects: []string{"pruned.orphan.>", "pruned.hint.>"}, MaxBytes: 64 << 10, Discard: jetstream.DiscardNew,
		Metadata: map[string]string{identityKey: "here"},
	})
	require.NoError(t, err)
	_, err = js.CreateConsumer(Context(t), "PRUNED", jetstream.ConsumerConfig{
		Durable: hintsName, FilterSubject: "pruned.hint.>", AckPolicy: jetstream.AckExplicitPolicy})
	require.NoError(t, err)
	for err == nil {
		_, err = js.Publish(Context(t), "pruned.hint.chat", make([]byte, 1000))
	}
	require.True(t, hasCode(err, codeNotStored))

	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	q := OpenQueueOn(t, nc, opts)
	require.Equal(t, []string{"pruned.probe.pruned.*", "pruned.orphan.>"}, config(t, q, "PRUNED").Subjects)
	_, err = js.Consumer(Context(t), "PRUNED", hintsName)
	require.ErrorIs(t, err, jetstream.ErrConsumerNotFound)
	require.NoError(t, q.PublishHint(Context(t), "a", "chat.deleted", nil))
	Publish(t, q, someEvents(3))
	require.Equal(t, 3, Drain(t, q, &fake{}, Options{}).Deleted)
	OpenQueueOn(t, nc, opts)
}

// A stream that somebody deleted is made again for what comes next.
func TestHintsMakeTheirStreamAgain(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_HINTS"))
	require.NoError(t, q.PublishHint(Context(t), "a", "chat.deleted", nil))
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED"))
	require.NoError(t, q.PublishEvent(Context(t), event.New("f", "s", "")))
	require.Len(t, EventsIn(t, q), 1)

	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_HINTS"))
	_, err := NewHints(q, Log(t), func() {}).createConsumer(Context(t))
	require.NoError(t, err)
}
