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
	w := f.newWorld()
	staying := slices.Concat(othersChunks(t, f, w.locked), othersChunks(t, f, w.loose), othersChunks(t, f, uuid.NewString()))
	f.Insert(t, slices.Concat(w.going, staying)...)
	files := []string{w.locked, w.loose}
	if f.Takes == nil || f.Takes("file-search-cache") {
		files = append(files, "search-cache")
	}
	require.ElementsMatch(t, files, f.listFiles(t))

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

func (f Fixture) strange(collection string) string {
	if f.Strange == nil {
		return collection
	}
	return f.Strange(collection)
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
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	var own []string
	for _, c := range w.staying {
		if !vectors.IsKnown(c.Collection) && !slices.Contains(others, c.Collection) {
			own = append(own, f.strange(c.Collection)) // of no UUID
		}
	}
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Subset(t, lowerAll(own), lowerAll(names))

	chunks := othersChunks(t, f, w.locked)
	f.Insert(t, chunks...)
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	for _, one := range chunks {
		if !one.Unnamed {
			require.Contains(t, names, f.strange(one.Collection))
		}
	}
	if f.Few {
		return
	}
	var more []Chunk
	for n := range 150 {
		more = append(more, newChunk(fmt.Sprintf("wiki-%d", n), "", ""))
	}
	f.Insert(t, more...)
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Len(t, names, vectors.MaxStrange)
}

// saysWhereChunksLie, and who made them.
func saysWhereChunksLie(t *testing.T, f Fixture) {
	w := f.newWorld()
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
