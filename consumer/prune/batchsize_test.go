package prune

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAdaptiveBatchSize(t *testing.T) {
	t.Parallel()
	var s adaptiveBatchSize
	s.init(500)
	require.Equal(t, 500, s.get())
	long := 100 * time.Second
	dear, fair, cheap := long/3, long/10, long/100 // looks, of a long transaction
	for _, want := range []int{1000, 2000, 4000, 5000, 5000} {
		s.adapt(dear, long)
		require.Equal(t, want, s.get())
	}
	s.adapt(fair, long)
	require.Equal(t, 5000, s.get(), "neither dear nor cheap")
	for _, want := range []int{2500, 1250, 625, 500, 500} {
		s.adapt(cheap, long)
		require.Equal(t, want, s.get())
	}
	s.adapt(0, fastTransaction-1)
	require.Equal(t, 1000, s.get(), "nobody notices a fast one")
	s.adapt(0, slowTransaction)
	require.Equal(t, 1000, s.get(), "neither fast nor slow")
}

func TestTransactionsAreAsShortAsTheEngineWants(t *testing.T) {
	t.Parallel()
	var none lockHoldLimit
	require.Equal(t, 500, none.limit(500), "nobody waits for this engine")
	none.adapt(500, time.Hour)
	require.Equal(t, 500, none.limit(500))

	var b lockHoldLimit
	b.init(50 * time.Millisecond)
	require.Equal(t, firstLockHold, b.limit(500))
	require.Equal(t, 3, b.limit(3))
	b.adapt(firstLockHold, 5*time.Millisecond)
	require.Equal(t, 2*firstLockHold, b.limit(500), "it grows by and by")
	b.adapt(3, time.Microsecond)
	require.Equal(t, 2*firstLockHold, b.limit(500), "a few files tell nothing")
	b.adapt(2*firstLockHold, 200*time.Millisecond)
	require.Equal(t, firstLockHold/2, b.limit(500))
	b.adapt(firstLockHold/2, time.Minute)
	require.Equal(t, 1, b.limit(500))
	b.adapt(1, time.Millisecond)
	require.Equal(t, 2, b.limit(500))
}
