package prune

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAdaptiveBatchSize(t *testing.T) {
	t.Parallel()
	var s adaptiveBatchSize
	s.setFirst(500)
	require.Equal(t, 500, s.nextSize())
	long := 100 * time.Second
	most, dear, fair, cheap := long*2/3, long/3, long/10, long/100 // looks, of a long transaction
	for _, want := range []int{1000, 2000, 2000} {
		s.adaptTo(dear, long)
		require.Equal(t, want, s.nextSize())
	}
	s.adaptTo(most, long)
	require.Equal(t, 5000, s.nextSize(), "looks are most of it")
	s.adaptTo(dear, long)
	require.Equal(t, 5000, s.nextSize(), "it grows no more, and does not shrink")
	for _, want := range []int{2500, 1250, 1250} {
		s.adaptTo(fair, long)
		require.Equal(t, want, s.nextSize(), "dear no more")
	}
	for _, want := range []int{625, 500, 500} {
		s.adaptTo(cheap, long)
		require.Equal(t, want, s.nextSize())
	}
	for _, want := range []int{2000, 5000, 5000} {
		s.adaptTo(most, long)
		require.Equal(t, want, s.nextSize())
	}
	s.setFirst(500)
	s.adaptTo(0, fastTransaction-1)
	require.Equal(t, 1000, s.nextSize(), "nobody notices a fast one")
	s.adaptTo(0, slowTransaction)
	require.Equal(t, 1000, s.nextSize(), "neither fast nor slow")
}

func TestTransactionsAreAsShortAsTheEngineWants(t *testing.T) {
	t.Parallel()
	var none lockHoldLimit
	require.Equal(t, 500, none.limitFiles(500), "nobody waits for this engine")
	none.adaptTo(500, time.Hour, 0)
	require.Equal(t, 500, none.limitFiles(500))

	var b lockHoldLimit
	b.setMax(50 * time.Millisecond)
	require.Equal(t, firstLockHold, b.limitFiles(500))
	require.Equal(t, 3, b.limitFiles(3))
	b.adaptTo(firstLockHold, 5*time.Millisecond, 0)
	require.Equal(t, 2*firstLockHold, b.limitFiles(500), "it grows by and by")
	b.adaptTo(3, time.Microsecond, 0)
	require.Equal(t, 2*firstLockHold, b.limitFiles(500), "a few files tell nothing")
	b.adaptTo(2*firstLockHold, 200*time.Millisecond, 0)
	require.Equal(t, firstLockHold/2, b.limitFiles(500))
	b.adaptTo(firstLockHold/2, time.Minute, 0)
	require.Equal(t, 1, b.limitFiles(500))
	b.adaptTo(1, time.Millisecond, 0)
	require.Equal(t, 2, b.limitFiles(500))

	b.setMax(50 * time.Millisecond)
	for _, want := range []int{100, 125, 125} {
		n := b.limitFiles(500)
		b.adaptTo(n, time.Second+time.Duration(n)*200*time.Microsecond, time.Second)
		require.Equal(t, want, b.limitFiles(500), "a commit takes as long for fewer")
	}
}
