package consumer

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// A probe leaves nothing, and is no event.
func TestProbeLeavesNothing(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(2))
	for range 3 {
		require.NoError(t, q.Probe(Context(t)))
	}
	for stream, want := range map[string]uint64{"PRUNED": 2, "PRUNED_LATER": 0, "PRUNED_HINTS": 0, "PRUNED_DEAD": 0} {
		s, err := q.js.Stream(Context(t), stream)
		require.NoError(t, err)
		require.Equal(t, want, s.CachedInfo().State.Msgs, stream)
	}
	require.Equal(t, 2, Drain(t, q, &fake{}, Options{}).Events)
	require.Empty(t, letters(t, q))
}

func TestProbeTellsOfAQueueThatStoresNothing(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	server := StartServer(t, t.TempDir(), 0)
	q := OpenQueueOn(t, Dial(t, server.ClientURL()), opts)
	_, err := q.Publish(Context(t), someEvents(2000), PublishOptions{})
	require.ErrorIs(t, err, ErrFull)
	sealed := config(t, q, "PRUNED_HINTS")
	sealed.Sealed = true
	_, err = q.js.UpdateStream(Context(t), sealed)
	require.NoError(t, err)
	require.ErrorContains(t, q.Probe(Context(t)), "stores nothing")
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_HINTS"))
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED"))
	require.NoError(t, q.Probe(Context(t)), "what is missing is made")

	lost := q.nc.StatusChanged(nats.RECONNECTING)
	server.Shutdown()
	Await(t, lost)
	require.ErrorIs(t, q.Probe(Context(t)), nats.ErrDisconnected)
}
