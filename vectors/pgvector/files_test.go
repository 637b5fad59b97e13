package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

// list returns how many files are listed, each collection for itself, and how often the
// plan reads the table as a whole.
func list(t *testing.T, store *pgvector.Store) (files, whole int) {
	t.Helper()
	for _, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		files++
	}
	plans, err := store.FilesPlans(t.Context())
	require.NoError(t, err)
	return files, scans(plans)
}

// 100,000 chunks of 10,000 files: own collections by their index, with and without
// statistics, and all shared ones once through the table.
func TestFilesReadTheTableOnce(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.Exec(t, `ALTER TABLE document_chunk SET (autovacuum_enabled = off)`)
	i.Exec(t, fillSQL)
	store := newStore(t, i.URL, false)
	for _, statistics := range []string{"", "VACUUM ANALYZE document_chunk"} {
		if statistics != "" {
			i.Exec(t, statistics)
		}
		files, whole := list(t, store)
		require.Equal(t, 20_000, files)
		require.Equal(t, 1, whole, statistics)
	}
}

// A wrong key is an error, and no empty store.
func TestFilesWithAWrongKey(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{Crypto: key})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: vectorstest.Base, FileID: "a"})
	files, _ := list(t, newStore(t, i.URL, true))
	require.Equal(t, 1, files)

	store, err := pgvector.New(t.Context(), pgvector.Options{URL: i.URL, Crypto: true, CryptoKey: "another"})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	var failed error
	for _, err := range store.Files(t.Context()) {
		failed = err
	}
	require.ErrorIs(t, failed, vectors.ErrUnusable)
	require.NotContains(t, failed.Error(), "another")
}
