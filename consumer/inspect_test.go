package consumer

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// A stream that somebody changed says in what it is not ours any more.
func TestStreamsTellWhatDiffers(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	require.Regexp(t, `^2\.`, q.Server())
	Publish(t, q, someEvents(3))
	states, err := q.Streams(Context(t))
	require.NoError(t, err)
	require.Len(t, states, 5)
	for _, s := range states {
		require.Empty(t, s.Differs, s.Name)
	}
	changed := config(t, q, "PRUNED")
	changed.MaxMsgs, changed.MaxAge, changed.NoAck, changed.DenyDelete = 10, 2*time.Hour, true, false
	_, err = q.js.UpdateStream(Context(t), changed)
	require.NoError(t, err)
	states, err = q.Streams(Context(t))
	require.NoError(t, err)
	for _, s := range states {
		if s.Name == "PRUNED" {
			require.EqualValues(t, 3, s.Messages)
			require.ElementsMatch(t, []string{"MaxMsgs", "MaxAge", "NoAck"}, s.Differs)
		} else {
			require.Empty(t, s.Differs, s.Name)
		}
	}
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_DEAD"))
	states, err = q.Streams(Context(t))
	require.NoError(t, err)
	for _, s := range states {
		require.Equal(t, s.Name == "PRUNED_DEAD", s.Missing, s.Name)
	}
}

// Who only looks makes no stream, and takes none of another installation.
func TestFindMakesNothing(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	q, err := Find(Context(t), nc, StreamOptionsOf(t))
	require.NoError(t, err)
	states, err := q.Streams(Context(t))
	require.NoError(t, err)
	require.NotEmpty(t, states)
	for _, s := range states {
		require.True(t, s.Missing, s.Name)
	}
	OpenQueueOn(t, nc, StreamOptionsOf(t))
	q, err = Find(Context(t), nc, StreamOptionsOf(t))
	require.NoError(t, err)
	states, err = q.Streams(Context(t))
	require.NoError(t, err)
	require.False(t, states[0].Missing)
	opts := StreamOptionsOf(t)
	opts.Installation = "there"
	_, err = Find(Context(t), nc, opts)
	require.ErrorIs(t, err, ErrForeign)
}

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
	_, err := q.Publish(Context(t), someEvents(2000), nil)
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
