package reap_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/testenv"
)

// What went is told once; what was not there any more, or stays, is no part of it.
func TestRemovedIsObserved(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	gone, absent, kept := testenv.NewID(), testenv.NewID(), i.AddFile(t)
	i.AddChunks(t, gone)
	path := testenv.WriteBytes(t, i.Uploads, gone, "document.pdf")
	there, err := os.Stat(path)
	require.NoError(t, err)
	require.Positive(t, there.Size())
	for _, file := range []string{gone, absent, kept} {
		i.AddTombstones(t, repo.Tombstone{Kind: repo.Vectors, FileID: file},
			repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: filepath.Base(testenv.StoredName(file, "document.pdf"))})
	}
	var mu sync.Mutex
	var total []reap.Removed
	x := i.NewReaper(t)
	x.Observe = func(r reap.Removed) {
		mu.Lock()
		defer mu.Unlock()
		total = append(total, r)
	}
	require.NoError(t, x.Drain(t.Context()))
	require.NoError(t, x.Drain(t.Context()))
	require.ElementsMatch(t, []reap.Removed{{Chunks: fixture.ChunksOfAFile}, {Objects: 1, Bytes: there.Size()}}, total)
	require.Equal(t, fixture.Whole, i.LeftOf(t, kept))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, gone))
	require.Zero(t, i.CountTombstones(t))
}
