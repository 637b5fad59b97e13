package qdrant_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Names, ids, tenants, metadata and texts are searched, of every collection with the prefix and
// beyond a page; what was removed is not found.
func TestTrace(t *testing.T) {
	t.Parallel()
	a := newAPI(t, true)
	store := a.store(t)
	file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
	own, name := vectors.FileCollection(file), a.prefix+"_files"
	a.insert(t, vectorstest.MakeChunks(450, own, file)...)
	a.insert(t, vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})
	plugins := a.prefix + "_of_" + user
	a.create(t, plugins)
	a.put(t, plugins, point(7, 1, map[string]any{"notes": []any{map[string]any{"of": user}}}))

	found := vectorstest.Trace(t, store, file)
	require.Empty(t, found.Gaps)
	require.Len(t, found.Places, 2*451, "of each chunk tenant_id and file_id")
	require.ElementsMatch(t, []string{
		plugins + "  name", plugins + " 7 notes", name + " " + chunk + " metadata created_by",
	}, vectorstest.Trace(t, store, user).Places)
	require.Equal(t, []string{name + " " + chunk + " id", name + " " + chunk + " text"}, vectorstest.Trace(t, store, chunk).Places)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, chunk).Places)
}
