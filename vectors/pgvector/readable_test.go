package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

// One chunk that does not decrypt, or is no JSON then, stays, is counted, and stands in
// nobody's way.
func TestOneBadRowThatDoesNotDecryptStopsNothing(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{Crypto: key})
	i.insert(t, vectorstest.Chunk{ID: "a1", Collection: vectorstest.Base, FileID: "a"}, vectorstest.Chunk{ID: "b1", Collection: vectorstest.Base, FileID: "b"},
		vectorstest.Chunk{ID: "a2", Collection: "file-a", FileID: "a"})
	for id, metadata := range map[string]string{
		"old":  `pgp_sym_encrypt('{"file_id": "a"}', 'an older key')`,
		"cast": `pgp_sym_encrypt('no JSON', $1)`,
		"nul":  `pgp_sym_encrypt('{"file_id": "a\u0000"}', $1)`,
		"junk": `'\x00ff'::bytea`,
		"bare": `pgp_sym_encrypt('[]', $1)`,
	} {
		i.Exec(t, `INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata) SELECT '`+id+`', '[1,2,3]', '`+vectorstest.Base+`', ''::bytea, `+metadata+` WHERE $1::text <> ''`, key)
	}
	store := newStore(t, i.URL, true)
	require.NoError(t, store.Check(t.Context()))
	listed := map[string]int64{}
	for f, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		listed[f.ID] += f.Chunks
	}
	require.Equal(t, map[string]int64{"a": 2, "b": 1}, listed)
	n, of, err := store.Unreadable(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{4, 7}, []int64{n, of})
	collections, err := store.Collections(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []vectors.Collection{{Name: vectorstest.Base, Chunks: 1}, {Name: "file-a", Chunks: 1}}, collections)

	removed, err := store.Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.EqualValues(t, 2, removed.Chunks)
	tx := begin(t, i.Database)
	removed, err = store.Remove(t.Context(), tx, []string{"b"})
	require.NoError(t, err)
	require.EqualValues(t, 1, removed.Chunks)
	require.NoError(t, tx.Commit(t.Context()))
	require.ElementsMatch(t, []string{"old", "cast", "nul", "junk", "bare"}, i.left(t))
}

// With a key that decrypts nothing nothing is listed as if there were nothing.
func TestKeyThatDecryptsNothingIsNoEmptyStore(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{Crypto: "another"})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: vectorstest.Base, FileID: "a"}, vectorstest.Chunk{ID: "2", Collection: "file-a", FileID: "a"})
	store, err := pgvector.New(t.Context(), pgvector.Options{URL: i.URL, Crypto: true, CryptoKey: key})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	_, err = store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ElementsMatch(t, []string{"1", "2"}, i.left(t))
	n, of, err := store.Unreadable(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1}, []int64{n, of})
}
