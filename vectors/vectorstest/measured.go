package vectorstest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// countsEveryCollection: all of them, whoever made them, each once.
func countsEveryCollection(t *testing.T, f Fixture) {
	store := f.Store.(vectors.Measured)
	counted := func() map[string]int64 {
		got := map[string]int64{}
		for c, err := range store.CountChunks(t.Context()) {
			require.NoError(t, err)
			require.NotContains(t, got, c.Name)
			got[c.Name] = c.Chunks
		}
		return got
	}
	require.Empty(t, counted())
	var chunks []Chunk
	for range 250 { // more than a page
		id := uuid.NewString()
		chunks = append(chunks, newChunk(vectors.FileCollection(id), id, ""))
	}
	chunks = append(chunks, f.takenChunks(append(f.newWorld().allChunks(), newChunk("my-plugin", "", "")))...)
	f.Insert(t, chunks...)
	want := map[string]int64{}
	for _, c := range chunks {
		want[c.Collection]++
	}
	require.Equal(t, want, counted())
	for _, err := range store.CountChunks(t.Context()) { // goes on working when it was left
		require.NoError(t, err)
		break
	}
	require.Equal(t, want, counted())

	disk, err := store.MeasureDisk(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, disk.Where)
	require.Positive(t, disk.Bytes)
	require.Equal(t, disk.Folders > 0, disk.FolderBytes > 0)
}
