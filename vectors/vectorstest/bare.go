package vectorstest

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// bareChunk has no metadata: in a knowledge base nobody can say whose it is.
func bareChunk(collection string) Chunk {
	return Chunk{ID: uuid.NewString(), Collection: collection, Bare: true}
}

// leavesBareChunks: one in a knowledge base belongs to no file, whatever is asked, and goes
// with the collection alone; one in a file's own collection goes with the file. All that has
// metadata goes as ever.
func leavesBareChunks(t *testing.T, f Fixture) {
	w := f.newWorld()
	own, bare := bareChunk(vectors.FileCollection(w.locked)), []Chunk{bareChunk(w.bases[0]), bareChunk(w.bases[0]), bareChunk(w.bases[1])}
	f.Insert(t, slices.Concat(w.allChunks(), bare, []Chunk{own})...)
	f.requireListed(t, append(w.allChunks(), own))
	f.requireChunks(t, slices.DeleteFunc(w.allChunks(), func(c Chunk) bool {
		return c.FileID == "" || !slices.Contains(w.bases, c.Collection)
	}), w.bases, nil)
	holdings, err := f.Store.Holdings(t.Context(), []string{w.locked})
	require.NoError(t, err)
	require.Len(t, holdings, 3, "its own, and both knowledge bases")

	f.removeFiles(t, []string{w.locked, w.loose})
	f.requireHeld(t, append(w.staying, bare...))
	f.removeUntilGone(t, w.bases[:1], func(t *testing.T, names []string) vectors.Removed {
		t.Helper()
		return f.removeCollections(t, names)
	})
	f.requireHeld(t, slices.DeleteFunc(append(w.staying, bare...), func(c Chunk) bool { return c.Collection == w.bases[0] }))
}

// removesBarePoints: what has a row by its id is listed, and goes, by that.
func removesBarePoints(t *testing.T, f Fixture) {
	memory := "user-memory-" + uuid.NewString()
	points := []Chunk{bareChunk(memory), bareChunk(memory), bareChunk(vectors.KnowledgeNames)}
	points = append(points, pointsOf(memory, uuid.NewString(), uuid.NewString())...)
	f.Insert(t, points...)
	f.requirePoints(t, points)
	require.EqualValues(t, 2, f.removeAllPoints(t, memory, []string{points[0].ID, points[3].ID}))
	f.requireHeld(t, []Chunk{points[1], points[2], points[4]})
}
