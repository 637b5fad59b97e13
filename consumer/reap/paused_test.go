package reap_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

// While the work is paused nothing that is due is removed, and nothing is put off by that.
func TestPausedReaperRemovesNothing(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	id := testenv.NewID()
	i.AddChunks(t, id)
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Vectors, FileID: id})
	x := i.NewReaper(t)
	var paused atomic.Bool
	paused.Store(true)
	x.Paused = paused.Load
	left, err := x.Due(t.Context())
	require.NoError(t, err)
	require.True(t, left)
	require.NotEqual(t, fixture.Nothing, i.LeftOf(t, id))
	require.Zero(t, testenv.Value[int](t, i.Database, `SELECT sum(attempts)::int FROM pruned.tombstone`))
	paused.Store(false)
	left, err = x.Due(t.Context())
	require.NoError(t, err)
	require.False(t, left)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
}
