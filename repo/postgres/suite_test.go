package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/repotest"
	"pruned/repo/testenv"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	repotest.Run(t, newEngine)
}

func newEngine(t *testing.T) repotest.Engine {
	d, db := newDB(t)
	e := repotest.Engine{
		DB:        repo.NewEngine(db),
		Exec:      d.Exec,
		Unchecked: func(t testing.TB, sql string, args ...any) int64 { return unchecked(t, d, sql, args...) },
		Count: func(t testing.TB, sql string, args ...any) int64 {
			return testenv.Value[int64](t, d, sql, args...)
		},
		Table: func(name string) string { return pgx.Identifier{d.Schema, name}.Sanitize() },
		Hold:  func(t testing.TB, id string) func() { return hold(t, d, id) },

		Departed: func(t testing.TB) repo.Engine {
			return repo.NewEngine(openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, DepartedIgnore: true}))
		},

		Binary: "bytea",
		Own:    func(name string) string { return "pruned." + name },
		Moment: func(at time.Time) any { return at },
	}
	if testenv.Release() != "" {
		e.Columns = d.Columns
	}
	return e
}

// unchecked runs a statement as a superuser who restores a dump does: no
// trigger runs, so no foreign key is checked either.
func unchecked(t testing.TB, d *testenv.Database, sql string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(context.Background(), d.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(context.Background(), `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		tag, err := tx.Exec(context.Background(), sql, args...)
		n = tag.RowsAffected()
		return err
	}))
	return n
}

// hold locks a row as the application does that links a file and has not yet
// committed.
func hold(t testing.TB, d *testenv.Database, id string) (release func()) {
	t.Helper()
	conn := d.Conn(t)
	exec(t, conn, `BEGIN`)
	exec(t, conn, `SELECT FROM `+pgx.Identifier{d.Schema, "file"}.Sanitize()+` WHERE id = $1 FOR KEY SHARE`, id)
	return func() { exec(t, conn, `ROLLBACK`) }
}
