package reap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// joining is a store that lies in the database.
type joining struct{ vectors.None }

func (joining) Joins() bool { return true }

func TestRestsOfTheExecutor(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	table, beside := &Reaper{Vectors: joining{}}, &Reaper{Vectors: vectors.None{}}
	require.Equal(t, interval, table.restAfter(interval, time.Millisecond))
	require.Equal(t, 20*time.Minute, table.restAfter(interval, time.Minute))
	require.Equal(t, interval, beside.restAfter(interval, time.Millisecond))
	require.Equal(t, time.Minute, beside.restAfter(interval, time.Minute))
}
