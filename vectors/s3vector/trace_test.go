package s3vector_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Names, keys, metadata and texts are searched, beyond a page; what was removed is not found.
func TestTrace(t *testing.T) {
	t.Parallel()
	a := newPaged(t, 100, 3)
	store := a.store(t)
	file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
	own := vectors.FileCollection(file)
	a.insert(t, vectorstest.MakeChunks(250, own, file)...)
	a.insert(t, vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})

	found := vectorstest.Trace(t, store, file)
	require.Empty(t, found.Gaps)
	require.Contains(t, found.Places, own+"  name")
	require.Len(t, found.Places, 1+251, "of each chunk file_id")
	require.Equal(t, []string{own + " " + chunk + " created_by"}, vectorstest.Trace(t, store, user).Places)
	require.Contains(t, vectorstest.Trace(t, store, chunk).Places, own+" "+chunk+" id")
	a.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, uuid.NewString())...)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, chunk).Places)
}
