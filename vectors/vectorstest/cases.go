package vectorstest

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

func leavesOthers(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	require.EqualValues(t, len(w.going), f.removeFiles(t, []string{w.locked, w.loose}))
	f.requireHeld(t, w.staying)
	require.Zero(t, f.removeFiles(t, []string{w.locked, w.loose}), "the second time")
	f.requireHeld(t, w.staying)
}

// removesWithoutTx is how a tombstone is carried out, and a store outside
// the transaction is asked to do it without one. A file that was reported twice has
// two tombstones.
func removesWithoutTx(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	removed, err := f.Store.Remove(t.Context(), nil, []string{w.locked, w.loose, w.locked})
	require.NoError(t, err)
	require.EqualValues(t, len(w.going), removed.Chunks)
	if len(removed.Waiting) > 0 {
		require.Zero(t, f.removeAll(t, removed.Waiting), "asked for once")
	}
	f.requireHeld(t, w.staying)
	require.Zero(t, f.removeAll(t, []string{w.locked, w.loose}), "the second time")
}

func removesNothing(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.staying...)
	require.Zero(t, f.removeFiles(t, []string{w.locked, w.loose}))
	f.requireHeld(t, w.staying)
}

func doesNothing(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	chunks, rest := f.removeInTx(t, nil)
	require.Zero(t, chunks)
	require.False(t, rest)
	require.Zero(t, f.removeAll(t, nil))
	f.requireHeld(t, w.allChunks())
}

func takesIDsAsTheyAre(t *testing.T, f Fixture) {
	var going, staying []Chunk
	for _, id := range odd {
		going = append(going, f.takenChunks(fileChunks(id, "", Base))...)
	}
	for _, id := range similarIDs() {
		staying = append(staying, f.takenChunks(fileChunks(id, "", Base))...)
	}
	f.Insert(t, append(going, staying...)...)
	require.EqualValues(t, len(going), f.removeFiles(t, odd))
	f.requireHeld(t, staying)
}

func removesMany(t *testing.T, f Fixture) {
	var ids []string
	var going []Chunk
	for range f.manyCollections(500) {
		id := uuid.NewString()
		ids = append(ids, id)
		going = append(going, newChunk(vectors.FileCollection(id), id, ""), newChunk(Base, id, ""))
	}
	staying := fileChunks(uuid.NewString(), "", Base)
	f.Insert(t, append(going, staying...)...)
	require.EqualValues(t, len(going), f.removeFiles(t, ids))
	f.requireHeld(t, staying)
}

func countsCollections(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, append(w.allChunks(), newChunk(w.bases[0], w.locked, ""))...)
	want := []vectors.Collection{
		{Name: vectors.FileCollection(w.locked), Chunks: 3}, {Name: w.bases[0], Chunks: 4}, {Name: w.bases[1], Chunks: 3},
	}
	slices.SortFunc(want, func(a, b vectors.Collection) int {
		return slices.Compare([]byte(a.Name), []byte(b.Name))
	})
	got, err := f.Store.Collections(t.Context(), w.locked)
	require.NoError(t, err)
	require.Equal(t, want, got)

	got, err = f.Store.Collections(t.Context(), uuid.NewString())
	require.NoError(t, err)
	require.Empty(t, got)
}

func isInOrder(t *testing.T, f Fixture) {
	info := f.Store.Info()
	require.NotEmpty(t, info.Name)
	_, transactional := f.Store.(vectors.Transactional)
	require.Equal(t, transactional, info.InDatabase)
	require.Equal(t, transactional, f.Begin != nil)
	require.NoError(t, f.Store.Check(t.Context()))
	f.Insert(t, f.newWorld().allChunks()...)
	require.NoError(t, f.Store.Check(t.Context()))
}
