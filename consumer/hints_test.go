package consumer

import (
	"bytes"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func TestHintIsStoredOnce(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	const asItCame = `{"id":"6f", "event":"chat.deleted" }`
	for range 2 {
		require.NoError(t, q.Hint(testContext(t), "6f", "chat.deleted", []byte(asItCame)))
	}
	require.NoError(t, q.Hint(testContext(t), "7\r\nf", "odd event *>", nil))
	var subjects, ids []string
	for msg, err := range q.read(testContext(t), "PRUNED", jetstream.ConsumerConfig{}) {
		require.NoError(t, err)
		subjects, ids = append(subjects, msg.Subject()), append(ids, msg.Headers().Get(jetstream.MsgIDHeader))
		if len(subjects) == 1 {
			require.True(t, bytes.Equal([]byte(asItCame), msg.Data()))
		}
	}
	require.Equal(t, []string{q.HintSubject("chat.deleted"), q.HintSubject("odd event *>")}, subjects)
	require.Equal(t, []string{"6f", "7%0D%0Af"}, ids)
	require.Zero(t, backlog(t, q).Pending, "no claims")
}

func TestClaimIsStoredOnce(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	e := NewEvent("f", "openwebui", "file.deleted")
	for range 2 {
		require.NoError(t, q.Claim(testContext(t), e))
	}
	require.Equal(t, []Event{e}, claimsIn(t, q))
	require.ErrorContains(t, q.Claim(testContext(t), Event{}), "a claim to publish")
}

func TestHintsOfAQueueThatStoresNothing(t *testing.T) {
	t.Parallel()
	opts := testStream(t)
	opts.MaxBytes = 64 << 10
	server := startServer(t, t.TempDir(), 0)
	q := openOn(t, dial(t, server.ClientURL()), opts)
	_, err := q.Publish(testContext(t), someClaims(2000), PublishOptions{})
	require.ErrorIs(t, err, ErrFull)
	require.ErrorIs(t, q.Hint(testContext(t), "a", "chat.deleted", make([]byte, 1000)), ErrFull)
	lost := q.nc.StatusChanged(nats.RECONNECTING)
	server.Shutdown()
	await(t, lost)
	require.ErrorIs(t, q.Hint(testContext(t), "b", "chat.deleted", nil), nats.ErrDisconnected)
	require.ErrorIs(t, q.Claim(testContext(t), NewEvent("f", "s", "")), nats.ErrDisconnected)
}
