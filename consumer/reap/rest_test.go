package reap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// elsewhere is a store that does not lie in the database.
type elsewhere struct{ vectors.Store }

func TestRestsOfTheExecutor(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	table, beside := &Reaper{Vectors: vectors.None{}}, &Reaper{Vectors: elsewhere{}}
	require.Equal(t, interval, table.restAfter(interval, time.Millisecond))
	require.Equal(t, 20*time.Minute, table.restAfter(interval, time.Minute))
	require.Equal(t, interval, beside.restAfter(interval, time.Millisecond))
	require.Equal(t, time.Minute, beside.restAfter(interval, time.Minute))
}
