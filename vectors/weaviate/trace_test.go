package weaviate_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
	"pruned/vectors/weaviate"
)

// Names, ids, metadata and texts are searched, of every class and beyond a page, also where
// the server answers with less; what was removed is not found, and a class that cannot be
// read is told.
func TestTrace(t *testing.T) {
	t.Parallel()
	needServer(t)
	server := testenv.StartWeaviate(t, testenv.WeaviateOptions{MaxResults: 100})
	a := &api{port: server.Port()}
	store := newStore(t, weaviate.Options{Host: "127.0.0.1", Port: a.port})
	file, user, chunk, last := uuid.NewString(), uuid.NewString(), "00000000"+uuid.NewString()[8:], "ffffffff"+uuid.NewString()[8:]
	own := vectors.FileCollection(file)
	a.insert(t, vectorstest.MakeChunks(450, own, file)...)
	a.insert(t, vectorstest.Chunk{ID: chunk, Collection: vectorstest.Base, FileID: uuid.NewString(), CreatedBy: user})
	a.insert(t, vectorstest.Chunk{ID: last, Collection: own, FileID: file})
	a.call(t, http.MethodPost, "schema", map[string]any{"class": "Of_a_plugin", "multiTenancyConfig": map[string]any{"enabled": true}}, nil)

	found := vectorstest.Trace(t, store, file)
	require.Equal(t, []string{"Of_a_plugin"}, found.Gaps)
	require.Contains(t, found.Places, className(own)+"  name")
	require.Len(t, found.Places, 1+451, "of each chunk file_id")
	require.Equal(t, []string{className(vectorstest.Base) + " " + chunk + " created_by"}, vectorstest.Trace(t, store, user).Places)
	for id, class := range map[string]string{chunk: className(vectorstest.Base), last: className(own)} {
		require.Equal(t, []string{class + " " + id + " id", class + " " + id + " text"}, vectorstest.Trace(t, store, id).Places)
	}
	require.Equal(t, []string{"Of_a_plugin  name"}, vectorstest.Trace(t, store, "of_a_plugin").Places)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, last).Places)
}
