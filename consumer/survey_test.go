package consumer

import (
	"testing"
	"time"

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
	require.Len(t, states, 4)
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
