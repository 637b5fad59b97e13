package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	repotest.Run(t, func(t *testing.T) repotest.Engine { return newEngine(t, newMigrated(t, "wal")) })
}

func TestSuiteWithoutWAL(t *testing.T) {
	t.Parallel()
	repotest.Run(t, func(t *testing.T) repotest.Engine {
		return newEngine(t, newMigrated(t, "delete"))
	})
}

// migrated is a database of the application with our tables in it. To migrate one for
// each case of the suite takes longer than most cases.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, ctx := filepath.Join(dir, "webui.db"), context.Background()
	if err := testenv.CopySQLite(ctx, path); err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		return nil, err
	}
	err = db.Migrate(ctx)
	db.Close()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// newMigrated returns a copy of it that is an installation of its own.
func newMigrated(t *testing.T, journal string) *testenv.SQLite {
	t.Helper()
	content, err := migrated()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "webui.db")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	app, err := testenv.OpenSQLite(path, journal)
	require.NoError(t, err)
	t.Cleanup(func() { _ = app.Close() })
	d := &testenv.SQLite{Path: path, DB: app}
	d.Exec(t, `UPDATE pruned_state SET mark = lower(hex(randomblob(8))), owner = ''`)
	d.Exec(t, `DELETE FROM pruned_place`)
	return d
}

func newEngine(t *testing.T, d *testenv.SQLite) repotest.Engine {
	e := repotest.Engine{
		DB: repo.NewEngine(open(t, d)), Exec: d.Exec, Unchecked: d.Exec, Count: d.Count,
		Table: func(name string) string { return name },

		Departed: func(t testing.TB) repo.Engine {
			return repo.NewEngine(openWith(t, sqlite.Options{Path: d.Path, DepartedIgnore: true}))
		},

		Binary: "BLOB",
		Own:    func(name string) string { return "pruned_" + name },
		Moment: func(at time.Time) any { return at.UnixMicro() },
	}
	if testenv.Release() != "" {
		e.Columns = d.Columns
	}
	return e
}

// open opens a database with our tables in it.
func open(t testing.TB, d *testenv.SQLite) *sqlite.DB {
	t.Helper()
	return openWith(t, sqlite.Options{Path: d.Path})
}

func openWith(t testing.TB, options sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), options)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.Migrate(context.Background()))
	return db
}
