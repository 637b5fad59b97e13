package elasticsearch_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Names, ids, collections, metadata and texts are searched, of every index that begins with the
// prefix and beyond a page; what was removed is not found, and what nobody can read is told.
func TestTrace(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	store := a.store(t)
	file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
	own, name := vectors.FileCollection(file), a.index(2)
	a.create(t, name, nil)
	a.put(t, name, vectorstest.MakeChunks(450, own, file)...)
	a.put(t, name, vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})
	plugins, closed := a.prefix+"_of_a_plugin", a.prefix+"_of_old"
	a.call(t, http.MethodPut, plugins+"/_doc/one?refresh=true", map[string]any{"notes": []any{map[string]any{"of": user}}}, nil)
	a.create(t, closed, nil)
	a.call(t, http.MethodPost, closed+"/_close", nil, nil)
	a.call(t, http.MethodPost, name+"/_refresh", nil, nil)

	found := vectorstest.Trace(t, store, file)
	require.Equal(t, []string{closed}, found.Gaps)
	require.Len(t, found.Places, 2*451, "of each chunk collection and file_id")
	require.ElementsMatch(t, []string{
		name + " " + chunk + " metadata created_by", plugins + " one notes",
	}, vectorstest.Trace(t, store, user).Places)
	require.Equal(t, []string{name + " " + chunk + " id", name + " " + chunk + " text"}, vectorstest.Trace(t, store, chunk).Places)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, chunk).Places)
}
