package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
	"pruned/repo/repotest/suite"
	"pruned/repo/sqlite"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	suite.Run(t, func(t *testing.T) suite.Engine { return newEngine(t, repotest.NewSQLite(t)) })
}

func TestSuiteWithoutWAL(t *testing.T) {
	t.Parallel()
	suite.Run(t, func(t *testing.T) suite.Engine {
		return newEngine(t, repotest.NewSQLiteRollback(t))
	})
}

func newEngine(t *testing.T, d *repotest.SQLite) suite.Engine {
	return suite.Engine{
		DB: repo.NewEngine(open(t, d)), Exec: d.Exec, Unchecked: d.Exec, Count: d.Count,
		Table: func(name string) string { return name },

		Binary: "BLOB",
		Own:    func(name string) string { return "pruned_" + name },
		Moment: func(at time.Time) any { return at.UnixMicro() },
	}
}

// open opens a database with our tables in it.
func open(t testing.TB, d *repotest.SQLite) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: d.Path})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.Migrate(context.Background()))
	return db
}
