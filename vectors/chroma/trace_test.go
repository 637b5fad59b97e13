package chroma_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

// tracePlaces lists where a store says that a text is. Nothing is left out.
func tracePlaces(t testing.TB, store trace.Searcher, id string) []string {
	t.Helper()
	found := vectorstest.Trace(t, store, id)
	require.Empty(t, found.Gaps)
	return found.Places
}

// Names, ids, metadata and texts are searched, of every collection and beyond a page; and
// what was removed is not found.
func TestTraceServer(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	store, err := chroma.New(t.Context(), chroma.HTTPOptions{URL: b.URL()})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	file, user, chunk, other := uuid.NewString(), uuid.NewString(), uuid.NewString(), "plugin-"+uuid.NewString()
	own := vectors.FileCollection(file)
	b.insert(t, vectorstest.MakeChunks(450, own, uuid.NewString())...)
	b.insert(t, vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})
	b.insert(t, vectorstest.Chunk{ID: uuid.NewString(), Collection: other, Unnamed: true})

	require.ElementsMatch(t, []string{own + "  name", own + " " + chunk + " metadata file_id"}, tracePlaces(t, store, file))
	require.Equal(t, []string{own + " " + chunk + " metadata created_by"}, tracePlaces(t, store, user))
	require.ElementsMatch(t, []string{own + " " + chunk + " id", own + " " + chunk + " text"}, tracePlaces(t, store, chunk))
	require.Equal(t, []string{other + "  name"}, tracePlaces(t, store, other))
	_, err = store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	for _, id := range []string{file, user, chunk} {
		require.Empty(t, tracePlaces(t, store, id))
	}
}

// Beside a Chroma that runs: its own tables, and after the removal none of them.
func TestTraceEmbedded(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	store := newEmbedded(t, b.dir)
	file, user := uuid.NewString(), uuid.NewString()
	for range 3 {
		b.insert(t, vectorstest.Chunk{ID: uuid.NewString(), Collection: vectors.FileCollection(file), FileID: file, CreatedBy: user})
	}
	require.NotEmpty(t, tracePlaces(t, store, file))
	require.NotEmpty(t, tracePlaces(t, store, user))
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, tracePlaces(t, store, file))
	require.Empty(t, tracePlaces(t, store, user))
}
