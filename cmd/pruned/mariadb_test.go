package main

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// newMariaDB is a database with the application's table, but for the index of its vectors.
func newMariaDB(t *testing.T, server *testenv.MariaDB, name string) *sql.DB {
	t.Helper()
	all, err := server.Open("")
	require.NoError(t, err)
	defer all.Close()
	_, err = all.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	db, err := server.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), `CREATE TABLE document_chunk (id VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
		collection_name VARCHAR(255) NOT NULL, text LONGTEXT NULL, vmetadata JSON NULL, INDEX (collection_name))`)
	require.NoError(t, err)
	return db
}

// Vectors in MariaDB go after the rows, once somebody has said whose they are; a database
// that is away keeps nothing else from going, and is no failure of any file.
func TestVectorsInMariaDB(t *testing.T) {
	t.Parallel()
	server := testenv.StartMariaDB(t)
	db := newMariaDB(t, server, "vectors")
	i := install(t).with("VECTOR_DB=mariadb-vector", "MARIADB_VECTOR_DB_URL="+server.URL("vectors"))
	seeded := i.seed(t, 20, 1)
	file, used := seeded.Orphans[0], seeded.InUse[0]
	for _, id := range []string{file, used} {
		_, err := db.ExecContext(t.Context(), `INSERT INTO document_chunk VALUES (?, ?, 'What it says.', JSON_OBJECT('file_id', ?, 'name', 'document.txt'))`, testenv.NewID(), testenv.FileCollection(id), id)
		require.NoError(t, err)
	}
	count := func(id string) (n int) {
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM document_chunk WHERE collection_name = ?`, testenv.FileCollection(id)).Scan(&n))
		return n
	}
	i.publish(t, file)
	summary := i.drain(t)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, 1, summary.Waiting)
	require.Contains(t, summary.WaitingFor, "nobody has said yet that mariadb at "+server.Address()+", database vectors")
	require.Equal(t, 1, count(file))

	i.sweep(t, exitDone, "--confirm", i.sweep(t, exitHeld).ID)
	server.Kill(t)
	status, _, errs := i.pruned(t, "", "run", "--drain")
	require.NotEqual(t, exitDone, status)
	require.Contains(t, errs, "mariadb at")
	server.Restart(t)
	require.Zero(t, i.drain(t).Waiting)
	require.Zero(t, count(file))
	require.Equal(t, 1, count(used))
	_, out, _ := i.pruned(t, "", "trace", used)
	require.Contains(t, out, "mariadb at")
}
