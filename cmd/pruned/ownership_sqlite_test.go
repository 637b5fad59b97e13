package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// exec runs a statement of the application's in webui.db.
func execSQLite(t *testing.T, dir, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "webui.db")+"?_pragma=busy_timeout(20000)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}

// A webui.db with the data folder of another installation, embedded Chroma and all.
func TestOwnershipOfAnotherInstallationsDataFolderOnSQLite(t *testing.T) {
	t.Parallel()
	a, ours := scratch(t, "PRUNED_MAX_FRACTION=1")
	_, foreign := scratch(t)
	before, own := holdings(t, foreign), holdings(t, ours)
	mixed := a.with("DATA_DIR="+foreign.Dir, "DATABASE_URL=sqlite:///"+filepath.Join(ours.Dir, "webui.db"), "PRUNED_DATA_DIR="+t.TempDir())
	status, _, errs := mixed.pruned(t, "", "sweep")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "has a webui.db that is not DATABASE_URL's")
	// Without it nothing tells whose folder it is but what lies in it.
	db := filepath.Join(foreign.Dir, "webui.db")
	require.NoError(t, os.Rename(db, db+".away"))
	held := mixed.sweep(t, exitHeld)
	require.Len(t, held.Holds, 2)
	mixed.publish(t, foreign.Files[0].ID)
	mixed.drain(t)
	require.NoError(t, os.Rename(db+".away", db))
	require.Equal(t, before, holdings(t, foreign))
	require.Equal(t, own.Bytes, holdings(t, ours).Bytes)
}

// The same migration on SQLite: files and chunks of knowledge bases, and of chats.
func TestLostLinksOnSQLite(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"knowledge_file", "chat_file"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
			before := holdings(t, world)
			execSQLite(t, world.Dir, `DELETE FROM `+table)
			held := i.sweep(t, exitHeld)
			require.Len(t, held.Holds, 1)
			require.Contains(t, held.Holds[0].Reason, "table "+table)
			lost := ask[diagnosis](t, i, "doctor").of(t, "lost links")
			require.Contains(t, lost.Detail, table)
			require.True(t, lost.Warn)
			i.drain(t)
			require.Equal(t, before.Rows, holdings(t, world).Rows)
		})
	}
}

// Where the application never stored a vector there is no folder for them: nothing
// waits for it.
func TestOwnershipOfAFolderThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	require.NoError(t, os.RemoveAll(filepath.Join(world.Dir, "vector_db")))
	i.sweep(t, exitDone)
	summary := i.drain(t)
	require.Positive(t, summary.Deleted)
	require.Zero(t, summary.Waiting, summary.WaitingFor)
	_, err := os.Stat(filepath.Join(world.Dir, "vector_db"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
