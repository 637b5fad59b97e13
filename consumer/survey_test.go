package consumer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A stream that somebody changed says in what it is not ours any more.
func TestStreamsTellWhatDiffers(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	require.Regexp(t, `^2\.`, q.Server())
	publish(t, q, someClaims(3))
	states, err := q.Streams(testContext(t))
	require.NoError(t, err)
	require.Len(t, states, 3)
	for _, s := range states {
		require.Empty(t, s.Differs, s.Name)
	}
	changed := config(t, q, "PRUNED")
	changed.MaxMsgs, changed.MaxAge, changed.NoAck, changed.DenyDelete = 10, 2*time.Hour, true, false
	_, err = q.js.UpdateStream(testContext(t), changed)
	require.NoError(t, err)
	states, err = q.Streams(testContext(t))
	require.NoError(t, err)
	for _, s := range states {
		if s.Name == "PRUNED" {
			require.EqualValues(t, 3, s.Messages)
			require.ElementsMatch(t, []string{"MaxMsgs", "MaxAge", "NoAck"}, s.Differs)
		} else {
			require.Empty(t, s.Differs, s.Name)
		}
	}
	require.NoError(t, q.js.DeleteStream(testContext(t), "PRUNED_DEAD"))
	_, err = q.Streams(testContext(t))
	require.ErrorContains(t, err, "PRUNED_DEAD")
}
