package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// chunksIn are the collections in the table of a database.
func chunksIn(t *testing.T, db *testenv.Database) []string {
	t.Helper()
	return testenv.Column[string](t, db, `SELECT collection_name FROM document_chunk ORDER BY 1`)
}

// Vectors in another database go after the rows, once somebody has said whose they are. A
// table of the same name beside the rows is not it.
func TestVectorsInAnotherDatabase(t *testing.T) {
	t.Parallel()
	other := testenv.New(t, testenv.Empty(), testenv.Vectors(small))
	i := install(t, testenv.Vectors(small)).with("PGVECTOR_DB_URL=" + other.URL)
	seeded := i.seed(t, 20, 1)
	beside := chunksIn(t, i.Database)
	file, used := seeded.Orphans[0], seeded.InUse[0]
	for _, id := range []string{file, used} {
		testenv.InsertChunks(t, other.Pool, testenv.Chunks{FileID: id, Vectors: small})
	}
	i.must(t, "migrate", "--indexes")
	require.Equal(t, 1, testenv.Value[int](t, other, `SELECT count(*) FROM pg_indexes WHERE indexname = 'pruned_document_chunk_file_id'`))
	i.publish(t, file)
	summary := i.drain(t)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, 1, summary.Waiting)
	require.Contains(t, summary.WaitingFor, "nobody has said yet that pgvector at "+i.Server.Address()+", database "+other.Name)
	require.Len(t, chunksIn(t, other), 2)

	i.sweep(t, exitDone, "--confirm", i.sweep(t, exitHeld).ID)
	require.Zero(t, i.drain(t).Waiting)
	require.Equal(t, []string{testenv.FileCollection(used)}, chunksIn(t, other))
	require.Equal(t, beside, chunksIn(t, i.Database))
	require.True(t, ask[diagnosis](t, i, "doctor").OK)
	require.Contains(t, i.must(t, "vacuum"), "document_chunk")
	_, out, _ := i.pruned(t, "", "trace", used)
	require.Contains(t, out, "pgvector at")
}

// The same database under another address is the one of the rows: its vectors go in the
// same transaction.
func TestVectorsInTheSameDatabaseSpeltOtherwise(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i = i.with("PGVECTOR_DB_URL=" + strings.Replace(i.URL, "127.0.0.1", "localhost", 1))
	seeded := i.seed(t, 20, 1)
	i.publish(t, seeded.Orphans...)
	summary := i.drain(t)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, nothing, i.left(t, seeded.Orphans...))
	require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.tombstone WHERE kind = 'vectors'`))
}

func TestVectorsOfSQLiteInPostgreSQL(t *testing.T) {
	t.Parallel()
	other := testenv.New(t, testenv.Empty(), testenv.Vectors(small))
	dir := t.TempDir()
	i := bare("DATA_DIR="+dir, "VECTOR_DB=pgvector", "PGVECTOR_DB_URL="+other.URL, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0",
		"PRUNED_LOG_FORMAT=json", "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_TRASH=0", "PRUNED_MAX_FRACTION=1")
	i.dir = dir
	require.NoError(t, os.Mkdir(i.uploads(), 0o755))
	require.NoError(t, testenv.CopySQLite(t.Context(), filepath.Join(dir, "webui.db")))
	db, err := testenv.OpenSQLite(filepath.Join(dir, "webui.db"), "wal")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	world := buildWorld(t, &testenv.SQLite{DB: db})
	var kept []string
	for _, id := range world.IDs() {
		testenv.InsertChunks(t, other.Pool, testenv.Chunks{FileID: id, Vectors: small})
	}
	for _, used := range world.Used {
		kept = append(kept, testenv.FileCollection(used.ID))
	}
	i.prunesWorld(t, world)
	require.Len(t, chunksIn(t, other), len(world.IDs()), "nobody has said whose they are")
	i.sweep(t, exitDone, "--confirm", i.sweep(t, exitHeld).ID)
	i.drain(t)
	require.ElementsMatch(t, kept, chunksIn(t, other))
}
