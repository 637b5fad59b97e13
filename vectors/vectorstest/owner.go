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

func theirs(t *testing.T, f Fixture, fileID string) (chunks []Chunk) {
	t.Helper()
	for _, collection := range others {
		chunks = append(chunks, f.taken([]Chunk{chunk(collection, fileID, "")})...)
	}
	require.NotEmpty(t, chunks)
	plugins := chunk(Base, fileID, "") // in a collection that is named so by chance
	plugins.Unnamed = true
	return append(chunks, plugins)
}

// leavesOthersCollections: neither listed nor counted nor removed, whichever file
// they name. An own collection is one whatever its id is, as its name says: that
// one has a row is for others to know.
func leavesOthersCollections(t *testing.T, f Fixture) {
	w := newWorld()
	staying := slices.Concat(theirs(t, f, w.locked), theirs(t, f, w.loose), theirs(t, f, uuid.NewString()))
	f.Insert(t, slices.Concat(w.going, staying)...)
	want := owners(w.going)
	want["search-cache"] = 3
	require.Equal(t, keys(want), f.listed(t))

	got, err := f.Store.Collections(t.Context(), w.locked)
	require.NoError(t, err)
	require.Len(t, got, 3)
	holdings, err := f.Store.Holdings(t.Context(), []string{w.locked})
	require.NoError(t, err)
	require.Len(t, holdings, 3)

	require.EqualValues(t, len(w.going), f.clean(t, []string{w.locked}, []string{w.loose}))
	f.holds(t, staying)
	require.Zero(t, f.remove(t, []string{w.locked, w.loose}))
	f.holds(t, staying)
}

func lowered(names []string) (list []string) {
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
	f.Insert(t, w.all()...)
	own := []string{"file-" + w.loose[:35], "file-" + w.locked + "0", "FILE-" + w.loose} // of no UUID, in newWorld
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Subset(t, lowered(own), lowered(names))

	chunks := theirs(t, f, w.locked)
	f.Insert(t, chunks...)
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	for _, one := range chunks {
		if !one.Unnamed {
			require.Contains(t, names, one.Collection)
		}
	}
	for n := range 150 {
		f.Insert(t, chunk(fmt.Sprintf("wiki-%d", n), "", ""))
	}
	names, err = f.Store.Strange(t.Context())
	require.NoError(t, err)
	require.Len(t, names, vectors.MostStrange)
}

// saysWhereChunksLie, and who made them.
func saysWhereChunksLie(t *testing.T, f Fixture) {
	w := newWorld()
	maker := uuid.NewString()
	for i := range w.going {
		w.going[i].CreatedBy = maker
	}
	f.Insert(t, w.all()...)
	got, err := f.Store.Holdings(t.Context(), []string{w.locked, uuid.NewString()})
	require.NoError(t, err)
	want := []vectors.Holding{}
	for _, collection := range []string{vectors.FileCollection(w.locked), w.bases[0], w.bases[1]} {
		want = append(want, vectors.Holding{FileID: w.locked, Collection: collection, CreatedBy: maker})
	}
	require.ElementsMatch(t, want, got)
	got, err = f.Store.Holdings(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, got)
}
