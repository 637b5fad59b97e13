package main

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/sweep"
)

// loseRows leaves so many rows in Chroma's tables that belong to nothing.
func loseRows(t *testing.T, dir string, n int) (left func() int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "vector_db", "chroma.sqlite3"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO embedding_metadata (id, key, string_value) SELECT 900000 + i, 'a', 'secret' FROM n`, n)
	require.NoError(t, err)
	return func() (left int) {
		require.NoError(t, db.QueryRow(`SELECT count(*) FROM embedding_metadata WHERE string_value = 'secret'`).Scan(&left))
		return left
	}
}

// Lost rows are told by every command that tells of work, wait where they are too many, and
// go by the setting; everything in use is as before.
func TestLostRowsOnSQLite(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	before := holdings(t, world)
	require.Equal(t, &sweep.Rows{}, i.sweep(t, exitDone).Rows)
	require.NotRegexp(t, `(?m)^rows `, i.must(t, "sweep"))
	left := loseRows(t, world.Dir, 12)
	require.Equal(t, &sweep.Rows{Found: 12}, i.sweep(t, exitDone, "--dry-run").Rows)
	require.Regexp(t, `rows +12 +that no collection of the vector store has\n`, i.must(t, "sweep", "--dry-run"))
	found := i.diagnose(t).of(t, "lost rows")
	require.Equal(t, "12 that no collection of the vector store has", found.Detail)
	require.Equal(t, "pruned run removes them", found.Remedy)
	require.False(t, found.Warn)

	few := i.with("PRUNED_MAX_FRACTION=0.001")
	require.Contains(t, few.sweep(t, exitHeld).Rows.Waits, "more than the fraction 0.001")
	found = few.diagnose(t).of(t, "lost rows")
	require.Contains(t, found.Detail, "they stay: 12 of ")
	require.Contains(t, found.Remedy, "PRUNED_MAX_FRACTION=1 pruned sweep")
	require.True(t, found.Warn)
	require.Equal(t, 12, left())

	require.Regexp(t, `rows +12 +.*; removed 12, emptied 0\n`, i.must(t, "sweep"))
	require.Zero(t, left())
	require.Equal(t, &sweep.Rows{}, i.sweep(t, exitDone).Rows)
	i.drain(t)
	require.NoError(t, world.Verify(before, holdings(t, world)))
}
