package pinecone_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Ids, collections, metadata and texts are searched, whoever's and beyond a page; what was
// removed is not found.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := newService(t)
	store := s.store(t)
	file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
	own := vectors.FileCollection(file)
	s.insert(t, vectorstest.MakeChunks(250, own, file)...)
	s.insert(t, vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})
	s.there["another program's"] = map[string]any{"notes": []any{user}}

	found := vectorstest.Trace(t, store, file)
	require.Empty(t, found.Gaps)
	require.Len(t, found.Places, 2*251, "of each chunk collection_name and file_id")
	require.ElementsMatch(t, []string{
		indexName + " " + chunk + " created_by", indexName + " another program's notes",
	}, vectorstest.Trace(t, store, user).Places)
	require.Equal(t, []string{indexName + " " + chunk + " id", indexName + " " + chunk + " text"}, vectorstest.Trace(t, store, chunk).Places)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, chunk).Places)
}
