package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// counts are what PostgreSQL counted of a database.
type counts struct{ sessions, commits, rollbacks int64 }

// counted returns the counts once nobody is connected any more, when they are
// complete.
func counted(t *testing.T, d *testenv.Database) (c counts) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.Server.URL("postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	require.Eventually(t, func() bool {
		var backends int
		err := conn.QueryRow(t.Context(), `SELECT numbackends, sessions, xact_commit, xact_rollback FROM pg_stat_database WHERE datname = $1`, d.Name).
			Scan(&backends, &c.sessions, &c.commits, &c.rollbacks)
		require.NoError(t, err)
		return backends == 0
	}, signalTimeout, 20*pollEvery)
	return c
}

// What is written in the database depends on batches and on time, not on files.
func TestSessionsAndCommitsDependOnBatches(t *testing.T) {
	t.Parallel()
	// Autovacuum commits as well.
	server := testenv.NewServer(t, testenv.ServerOptions{Settings: []string{"autovacuum=off"}})
	for _, n := range []int{10, 1000, 10_000} {
		i := installOn(t, server.New(t)).with("PRUNED_BATCH=500", "PRUNED_WORKERS=1")
		i.publish(t, i.seed(t, n, n).Orphans...)
		i.Pool.Close()
		before := counted(t, i.Database)
		began := time.Now()
		summary := i.drain(t)
		require.Equal(t, n, summary.Deleted)
		after := counted(t, i.Database)
		require.Less(t, summary.Batches, max(20, n/20)) // a busy queue sends fewer than 500 at once
		require.LessOrEqual(t, after.sessions-before.sessions, int64(8), "%d files", n)
		// The start takes some, and a batch is one; that no row has the ids of bytes is asked
		// fifty times a second at most, and what is due is looked for once.
		require.LessOrEqual(t, after.commits-before.commits, int64(41+3*summary.Batches)+int64(60*time.Since(began).Seconds()), "%d files", n)
		require.LessOrEqual(t, after.rollbacks-before.rollbacks, int64(1), "%d files", n)
	}
}

// A daemon opens the sessions of its workers, and two for tombstones, before an event comes.
func TestDaemonPreparesItsSessions(t *testing.T) {
	t.Parallel()
	i := install(t).with("PRUNED_WORKERS=6")
	i.start(t)
	require.Eventually(t, func() bool {
		return i.Exec(t, `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pruned'`) >= 8
	}, signalTimeout, pollEvery)
}
