package consumer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSizer(t *testing.T) {
	t.Parallel()
	var s sizer
	s.init(500)
	require.Equal(t, 500, s.get())
	long := 100 * time.Second
	dear, fair, cheap := long/3, long/10, long/100 // looks, of a long transaction
	for _, want := range []int{1000, 2000, 4000, 5000, 5000} {
		s.learn(dear, long)
		require.Equal(t, want, s.get())
	}
	s.learn(fair, long)
	require.Equal(t, 5000, s.get(), "neither dear nor cheap")
	for _, want := range []int{2500, 1250, 625, 500, 500} {
		s.learn(cheap, long)
		require.Equal(t, want, s.get())
	}
	s.learn(0, brisk-1)
	require.Equal(t, 1000, s.get(), "nobody notices a brisk one")
	s.learn(0, slow)
	require.Equal(t, 1000, s.get(), "neither brisk nor slow")
}

// The pieces of a batch say nothing about the size of a batch, and one that took
// too long was too large.
func TestOnlyFullBatchesChangeTheSize(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.refresh(t)
	b := i.batch(t, i.transaction())
	b.size.current.Store(4000)
	_, err := handle(t, b, 1, i.files(t, 3)...)
	require.NoError(t, err)
	require.Equal(t, 4000, b.Size())

	many := make([]string, 4000)
	for n := range many {
		many[n] = i.Name
	}
	slow, _ := i.script(t, time.Minute, bad(i.Name, 1))
	slow.size.current.Store(4000)
	_, err = handle(t, slow, 1, many...)
	require.NoError(t, err)
	require.Equal(t, 2000, slow.Size())
}
