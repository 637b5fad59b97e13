package valkey_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Names of indexes, keys and fields are searched, whoever's and beyond a scan; what was removed
// is not found.
func TestTrace(t *testing.T) {
	t.Parallel()
	a := newAPI(t, testenv.SharedValkey(t))
	store := a.store(t)
	file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
	own, keys := vectors.FileCollection(file), a.prefix+":*"
	last := vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user}
	a.insert(t, append(vectorstest.MakeChunks(1200, own, file), last)...)
	plugins := a.prefix + ":plugin"
	a.do(t, []any{"HSET", plugins, "notes", "of " + user})

	found := vectorstest.Trace(t, store, file)
	require.Empty(t, found.Gaps)
	require.Len(t, found.Places, 1+3*1201, "the index; of each chunk the key, file_id and metadata_json")
	require.Contains(t, found.Places, own+"  name")
	require.ElementsMatch(t, []string{
		keys + " " + a.key(last) + " metadata_json", keys + " " + plugins + " notes",
	}, vectorstest.Trace(t, store, user).Places)
	at := keys + " " + a.key(last)
	require.ElementsMatch(t, []string{at + " id", at + " id", at + " text"}, vectorstest.Trace(t, store, chunk).Places, "the key, and a field that is called so")
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Empty(t, vectorstest.Trace(t, store, file).Places)
	require.Empty(t, vectorstest.Trace(t, store, chunk).Places)
}
