package prune

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The rest of a batch is waited for half as long as a batch takes, within bounds, and sixty
// times as long where others write.
func TestRestIsWaitedForByWhatABatchTakes(t *testing.T) {
	t.Parallel()
	var l linger
	require.Equal(t, minLinger, l.choose())
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond:      minLinger,
		30 * time.Millisecond: 15 * time.Millisecond,
		time.Minute:           maxLinger,
	} {
		l.noteBatch(took, 0)
		require.Equal(t, want, l.choose())
	}
	for _, c := range []struct {
		changed int64
		want    time.Duration
	}{{0, 10 * time.Millisecond}, {8192, 1200 * time.Millisecond}, {8192, 10 * time.Millisecond}, {16384, 1200 * time.Millisecond}, {8192, 1200 * time.Millisecond}, {0, 10 * time.Millisecond}} {
		l.noteBatch(20*time.Millisecond, c.changed)
		require.Equal(t, c.want, l.choose())
	}
	l.noteBatch(time.Second, 1)
	require.Equal(t, maxLinger, l.choose())
}
