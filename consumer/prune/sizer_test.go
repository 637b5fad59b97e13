package prune

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
