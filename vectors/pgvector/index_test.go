package pgvector_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

const ours = "pruned_document_chunk_file_id"

func (i installation) indexed(t *testing.T) []string {
	t.Helper()
	return testenv.Column[string](t, i.Database, `
SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = 'document_chunk'::regclass AND i.indisvalid AND c.relname LIKE '%file_id'`)
}

func TestIndexAndDropIndex(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	store := newStore(t, i.URL, false)
	for range 2 {
		require.NoError(t, store.Index(t.Context()))
		require.Equal(t, []string{ours}, i.indexed(t))
	}
	_, rest, err := join(t, i, store, "a")
	require.NoError(t, err)
	require.False(t, rest)
	for range 2 {
		require.NoError(t, store.DropIndex(t.Context()))
		require.Empty(t, i.indexed(t))
	}
	_, rest, err = join(t, i, store, "a")
	require.NoError(t, err)
	require.True(t, rest, "Join sees that the index is gone")
}

// A build that fails leaves an invalid index behind: here a unique one.
func TestIndexReplacesWhatAFailedBuildLeft(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: vectorstest.Base, FileID: "a"}, vectorstest.Chunk{ID: "2", Collection: vectorstest.Base, FileID: "a"})
	_, err := i.Pool.Exec(t.Context(), `CREATE UNIQUE INDEX CONCURRENTLY `+ours+` ON document_chunk ((vmetadata->>'file_id'))`)
	require.ErrorContains(t, err, "could not create unique index")
	store := newStore(t, i.URL, false)
	_, rest, err := join(t, i, store, "b")
	require.NoError(t, err)
	require.True(t, rest, "an invalid index is none")
	require.NoError(t, store.Index(t.Context()))
	require.Equal(t, []string{ours}, i.indexed(t))
}

// A build waits for every transaction that is open. Another one beside it is
// refused, and one whose caller gives up ends on the server too.
func TestIndexWhileAnotherIsBuilt(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: vectorstest.Base, FileID: "a"})
	release := i.hold(t, "1")
	building, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	done := make(chan error, 1)
	first := newStore(t, i.URL, false)
	go func() { done <- first.Index(building) }()
	progress := `SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()`
	require.Eventually(t, func() bool { return testenv.Value[int](t, i.Database, progress) == 1 }, time.Minute, 10*time.Millisecond)

	second := newStore(t, i.URL, false)
	require.ErrorContains(t, second.Index(t.Context()), "another session is building an index")
	giveUp()
	require.ErrorIs(t, <-done, context.Canceled)
	release()
	require.Eventually(t, func() bool { return testenv.Value[int](t, i.Database, progress) == 0 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, second.Index(t.Context()))
	require.Equal(t, []string{ours}, i.indexed(t))
}

// An operator's index serves as well, and an operator's other index of our name
// is not touched.
func TestIndexOfSomebodyElse(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	store := newStore(t, i.URL, false)
	i.Exec(t, `CREATE INDEX `+ours+` ON document_chunk (text)`)
	require.ErrorContains(t, store.Index(t.Context()), "is another index than ours")
	require.Equal(t, []string{ours}, i.indexed(t))

	i.Exec(t, `CREATE INDEX by_file_id ON document_chunk USING hash ((vmetadata->>'file_id'))`)
	require.NoError(t, store.Index(t.Context()))
	require.ElementsMatch(t, []string{ours, "by_file_id"}, i.indexed(t))
	_, rest, err := join(t, i, store, "a")
	require.NoError(t, err)
	require.False(t, rest)
}

// Encrypted metadata cannot be indexed.
func TestIndexOfEncryptedTable(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{Crypto: key})
	store := newStore(t, i.URL, true)
	require.NoError(t, store.Index(t.Context()))
	require.Empty(t, i.indexed(t))
}
