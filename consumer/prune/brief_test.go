package prune

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTransactionsAreAsBriefAsTheEngineWants(t *testing.T) {
	t.Parallel()
	var none brief
	require.Equal(t, 500, none.take(500), "nobody waits for this engine")
	none.learn(500, time.Hour)
	require.Equal(t, 500, none.take(500))

	var b brief
	b.init(50 * time.Millisecond)
	require.Equal(t, firstBrief, b.take(500))
	require.Equal(t, 3, b.take(3))
	b.learn(firstBrief, 5*time.Millisecond)
	require.Equal(t, 2*firstBrief, b.take(500), "it grows by and by")
	b.learn(3, time.Microsecond)
	require.Equal(t, 2*firstBrief, b.take(500), "a few files tell nothing")
	b.learn(2*firstBrief, 200*time.Millisecond)
	require.Equal(t, firstBrief/2, b.take(500))
	b.learn(firstBrief/2, time.Minute)
	require.Equal(t, 1, b.take(500))
	b.learn(1, time.Millisecond)
	require.Equal(t, 2, b.take(500))
}
