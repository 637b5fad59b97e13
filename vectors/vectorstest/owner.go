package vectorstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// others are collections that are not named as Open WebUI names its own, though
// their chunks say file_id and name.
var others = []string{
	"company-wiki", "file-search-cache", "files", "Knowledge-Bases", "wiki-b0000000-0000-4000-8000-00000000ba5e",
	"B0000000-0000-4000-8000-00000000BA5E", "b000000000004000800000000000ba5e", "deadbeef",
}

func othersChunks(t *testing.T, f Fixture, fileID string) (chunks []Chunk) {
	t.Helper()
	for _, collection := range others {
		chunks = append(chunks, f.takenChunks([]Chunk{newChunk(collection, fileID, "")})...)
	}
	require.NotEmpty(t, chunks)
	plugins := newChunk(Base, fileID, "") // in a collection that is named so by chance
	plugins.Unnamed = true
	return append(chunks, plugins)
}

// leavesOthersCollections: neither listed nor counted nor removed, whichever file
// they name. An own collection is one whatever its id is, as its name says: that
// one has a row is for others to know.
func leavesOthersCollections(t *testing.T, f Fixture) {
	w := newWorld()
	staying := slices.Concat(othersChunks(t, f, w.locked), othersChunks(t, f, w.loose), othersChunks(t, f, uuid.NewString()))
	f.Insert(t, slices.Concat(w.going, staying)...)
	require.ElementsMatch(t, []string{w.locked, w.loose, "search-cache"}, f.listFiles(t))

	got, err := f.Store.Collections(t.Context(), w.locked)
	require.NoError(t, err)
	require.Len(t, got, 3)
	holdings, err := f.Store.Holdings(t.Context(), []string{w.locked})
	require.NoError(t, err)
	require.Len(t, holdings, 3)

	require.EqualValues(t, len(w.going), f.removeFiles(t, []string{w.locked, w.loose}))
	f.requireHeld(t, staying)
	require.Zero(t, f.removeAll(t, []string{w.locked, w.loose}))
	f.requireHeld(t, staying)
}

func lowerAll(names []string) (list []string) {
	for _, name := range names {
		list = append(list, strings.ToLower(name))
	}
	return list
}

func tellsOthersCollections(t *testing.T, f Fixture) {
	names, err := f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Empty(t, names)
	w := newWorld()
	f.Insert(t, w.allChunks()...)
	own := []string{"file-" + w.loose[:35], "file-" + w.locked + "0", "FILE-" + w.loose} // of no UUID, in newWorld
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Subset(t, lowerAll(own), lowerAll(names))

	chunks := othersChunks(t, f, w.locked)
	f.Insert(t, chunks...)
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	for _, one := range chunks {
		if !one.Unnamed {
			require.Contains(t, names, one.Collection)
		}
	}
	for n := range 150 {
		f.Insert(t, newChunk(fmt.Sprintf("wiki-%d", n), "", ""))
	}
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Len(t, names, vectors.MaxStrange)
}

// saysWhereChunksLie, and who made them.
func saysWhereChunksLie(t *testing.T, f Fixture) {
	w := newWorld()
	maker := uuid.NewString()
	for i := range w.going {
		w.going[i].CreatedBy = maker
	}
	f.Insert(t, w.allChunks()...)
	got, err := f.Store.Holdings(t.Context(), []string{w.locked, uuid.NewString()})
	require.NoError(t, err)
	want := []vectors.Holding{}
	for _, collection := range []string{vectors.FileCollection(w.locked), w.bases[0], w.bases[1]} {
		want = append(want, vectors.Holding{FileID: w.locked, Collection: collection, CreatedBy: maker})
	}
	require.Subset(t, got, want)
	require.Subset(t, want, got)
	got, err = f.Store.Holdings(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, got)
}
