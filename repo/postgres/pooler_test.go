package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Behind a pooler that gives each transaction another session everything works,
// from the first migration to the deletion. What looks learn there about
// prepared statements costs a few of them, each a passing failure.
func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	address := testenv.PgBouncer(t, d)
	workers := make([]*postgres.DB, 3)
	for i := range workers {
		workers[i] = openWith(t, postgres.Options{URL: address})
	}
	used, free := newFiles(t, d, 30), newFiles(t, d, 30)
	for _, id := range used {
		insertMention(t, d, id)
	}
	var work errgroup.Group
	for _, db := range workers {
		work.Go(func() error { return patiently(func() error { return db.IndexAll(t.Context(), nil) }) })
	}
	require.NoError(t, work.Wait())
	for i, db := range workers {
		for round := range 10 {
			work.Go(func() error { return patiently(func() error { return db.IndexChanges(t.Context()) }) })
			work.Go(func() error { return deletesJust(db, used[i*10+round], free[i*10+round]) })
		}
	}
	require.NoError(t, work.Wait())
	require.ElementsMatch(t, used, testenv.Column[string](t, d, `SELECT id FROM file`))
	requireCleanSessions(t, address)
}

// deletesJust deletes the second file and not the first.
func deletesJust(db *postgres.DB, used, free string) error {
	return patiently(func() error {
		found, err := tryLook(db, used, free)
		if err != nil {
			return err
		}
		if _, kept := found.Referenced[used]; !kept {
			return errors.New("a file in use was called free")
		}
		_, err = deletion(db, []string{free}, nothing)
		return err
	})
}

// patiently tries again what failed for a passing reason.
func patiently(try func() error) (err error) {
	for range 50 {
		if err = try(); err == nil || repo.KindOf(err) != repo.Passing {
			return err
		}
	}
	return err
}

// requireCleanSessions says that the pooler's sessions remember nothing of us.
func requireCleanSessions(t testing.TB, address string) {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	require.NoError(t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	sessions := map[int]bool{}
	for range 12 {
		var pid, changed, held int
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT pg_backend_pid(),
			(SELECT count(*) FROM pg_settings WHERE name IN ('row_security', 'statement_timeout', 'lock_timeout', 'bytea_output', 'TimeZone', 'jit') AND source = 'session'),
			(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')`).Scan(&pid, &changed, &held))
		require.Zero(t, changed+held)
		sessions[pid] = true
	}
	require.Greater(t, len(sessions), 1, "the sessions were not shuffled")
}
