package opensearch_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Names, ids, metadata and texts are searched, of every index that begins as the
// application's and beyond a page; what was removed is not found.
func TestTrace(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	store := a.store(t)
	file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
	own := vectors.FileCollection(file)
	a.insert(t, vectorstest.MakeChunks(450, own, file)...)
	a.insert(t, vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})
	a.create(t, "open_webui_of_a_plugin")
	a.call(t, http.MethodPut, "open_webui_of_a_plugin/_doc/one?refresh=true", map[string]any{"notes": []any{map[string]any{"of": user}}}, nil)

	found := vectorstest.Trace(t, store, file)
	require.Empty(t, found.Gaps)
	require.Contains(t, found.Places, indexName(own)+"  name")
	require.Len(t, found.Places, 1+451, "of each chunk file_id")
	require.ElementsMatch(t, []string{
		indexName(own) + " " + chunk + " metadata created_by", "open_webui_of_a_plugin one notes",
	}, vectorstest.Trace(t, store, user).Places)
	require.Equal(t, []string{indexName(own) + " " + chunk + " id", indexName(own) + " " + chunk + " text"}, vectorstest.Trace(t, store, chunk).Places)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, chunk).Places)
}
