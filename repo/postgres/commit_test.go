package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// deleteAndThen deletes a file, and lets something happen before COMMIT is sent.
func deleteAndThen(t testing.TB, db *postgres.DB, id string, happens func(tx repo.Tx)) error {
	t.Helper()
	return db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		_, err := db.Delete(t.Context(), tx, []string{id}, 0)
		require.NoError(t, err)
		happens(tx)
		return nil
	})
}

func exists(t testing.TB, d *testenv.Database, id string) bool {
	t.Helper()
	return testenv.Value[bool](t, d, `SELECT EXISTS (SELECT FROM file WHERE id = $1)`, id)
}

// No answer to COMMIT: it may have happened or not, and that is what is said.
func TestCommitWithoutAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure   int32
		committed bool
	}{
		"the request is lost":  {losesRequests, false},
		"the answer is lost":   {losesAnswers, true},
		"the answer never was": {swallowAnswers, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			network := newProxy(t, d)
			db := openWith(t, postgres.Options{URL: network.url, Schema: d.Schema, CommitTimeout: 3 * time.Second})
			id := testenv.NewFile(t, d.Pool)
			err := deleteAndThen(t, db, id, func(repo.Tx) { network.failure.Store(c.failure) })
			require.Equal(t, repo.Unknown, repo.KindOf(err))
			if c.committed {
				require.Eventually(t, func() bool { return !exists(t, d, id) }, testTimeout, tick)
			} else {
				require.True(t, exists(t, d, id))
			}
			// Afterwards everything goes on.
			network.failure.Store(works)
			requireRecovers(t, db)
		})
	}
}

// A session that the server ended says nothing about the commit that it may
// have been at.
func TestEndedSessionIsUnknownAtCommit(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := testenv.NewFile(t, d.Pool)
	err := deleteAndThen(t, db, id, func(tx repo.Tx) { terminate(t, d) })
	require.Equal(t, repo.Unknown, repo.KindOf(err))
	require.True(t, exists(t, d, id))
	requireRecovers(t, db)
}

// requireRecovers says that after the sessions that are lost new ones work.
func requireRecovers(t testing.TB, db *postgres.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		err := db.InTx(t.Context(), nil, func(repo.Tx) error { return nil })
		require.True(t, err == nil || repo.KindOf(err) == repo.Passing, err)
		return err == nil
	}, testTimeout, tick)
}

// terminate ends every session of pruned's, and returns when they have ended.
func terminate(t testing.TB, d *testenv.Database) {
	t.Helper()
	d.Exec(t, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pruned'`)
}

// A server that refuses a commit says so: nothing was done.
func TestRefusedCommitIsPermanent(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := testenv.NewFile(t, d.Pool)
	d.Exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$`)
	d.Exec(t, `CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON file DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
	err := deleteAndThen(t, db, id, func(repo.Tx) {})
	require.ErrorContains(t, err, "not today")
	require.Equal(t, repo.Permanent, repo.KindOf(err))
	require.True(t, exists(t, d, id))

	err = deleteAndThen(t, db, id, func(tx repo.Tx) {
		_, err := tx.Exec(t.Context(), `SELECT 1/0`)
		require.Error(t, err)
	})
	require.Error(t, err, "a commit that was a rollback")
	require.NotEqual(t, repo.Unknown, repo.KindOf(err))
	require.True(t, exists(t, d, id))
}

// A server that crashes before it answers leaves nothing half done.
func TestCrashAtCommitIsUnknown(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{})
	d := server.New(t)
	db := open(t, d)
	id := testenv.NewFile(t, d.Pool)
	refresh(t, db)
	err := deleteAndThen(t, db, id, func(repo.Tx) { require.NoError(t, server.Kill()) })
	require.Equal(t, repo.Unknown, repo.KindOf(err))
	kind := repo.Passing
	for kind == repo.Passing { // of each session that died with the server; then none is to be had
		kind = repo.KindOf(db.IndexChanges(t.Context()))
	}
	require.Equal(t, repo.Environment, kind)
	require.NoError(t, server.Restart(t.Context()))
	d.Pool.Reset()
	require.True(t, exists(t, d, id))
	requireFree(t, db, id)
}
