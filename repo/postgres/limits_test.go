package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Whatever limits a role has by itself end no pass, batch or sweep.
func TestLimitsOfTheRoleStopNothing(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"statement_timeout": "50ms", "lock_timeout": "50ms", "idle_in_transaction_session_timeout": "50ms", "client_encoding": "LATIN1",
		"default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
	}
	d := testenv.New(t)
	if testenv.Value[bool](t, d, `SELECT current_setting('transaction_timeout', true) IS NOT NULL`) {
		settings["transaction_timeout"] = "50ms"
	}
	for name, value := range settings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			role, address := newRole(t, d)
			openWith(t, postgres.Options{URL: address, Schema: d.Schema}).Close()
			ids := newFiles(t, d, 2)
			d.Exec(t, `INSERT INTO note (id, user_id, title) VALUES ('n', 'u', '€ ' || $1)`, ids[0])
			db := openWith(t, postgres.Options{URL: address, Schema: d.Schema})
			d.Exec(t, `ALTER ROLE `+role+` SET `+name+` = '`+value+`'`)
			d.Exec(t, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = $1`, role)
			require.Eventually(t, func() bool { // the sessions that are ended have to be noticed
				return db.InTx(t.Context(), nil, func(tx repo.Tx) error { _, err := tx.Exec(t.Context(), `SELECT 1`); return err }) == nil
			}, testTimeout, tick)
			sweep(t, db)
			inTx(t, db, func(tx repo.Tx) {
				n, err := tx.Exec(t.Context(), `SELECT pg_sleep(0.2)`)
				require.NoError(t, err)
				require.EqualValues(t, 1, n)
			})
			requireKept(t, db, ids[0])
			_, err := deletion(db, ids[1:], nothing)
			require.NoError(t, err)
		})
	}
}

// A foreign table whose server is away is no failure of our own connection: it says
// which server, and nothing is deleted until somebody does something.
func TestForeignServerThatIsAwayIsNoPassingFailure(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	port := fmt.Sprint(testenv.FreePort(t))
	d.Exec(t, `CREATE EXTENSION postgres_fdw; CREATE SERVER faraway FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '`+port+`')`)
	d.Exec(t, `CREATE USER MAPPING FOR CURRENT_USER SERVER faraway; CREATE FOREIGN TABLE remote (v text) SERVER faraway`)
	refresh(t, db)
	_, err := tryLook(db, ids...)
	require.Equal(t, "08001", repo.SQLState(err))
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.ErrorContains(t, err, "faraway")
	require.ErrorContains(t, err, "public.remote", "which table to take out")
	require.ErrorContains(t, err, "PRUNED_IGNORE")
	d.Exec(t, `DROP FOREIGN TABLE remote`)
	_, err = tryLook(db, ids...)
	require.Equal(t, repo.Passing, repo.KindOf(err), "its statement was made for the table")
	requireFree(t, db, ids...)
}

// Beyond two thousand million transactions a row that was frozen looks like one of the
// future: it is no change, and its transaction is not asked about.
func TestVersionsBeyondTheRingAreOld(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pg_resetwal")
	server := testenv.NewServer(t, testenv.ServerOptions{})
	d := server.New(t)
	db := open(t, d)
	ids := newFiles(t, d, 4)
	insertMention(t, d, ids[0])
	unknown := testenv.NewID()
	insertMention(t, d, unknown)
	refresh(t, db)
	db.Close()
	for _, next := range []uint32{1_200_000_000, 2_400_000_000} {
		freeze(t, d)
		d.Pool.Reset()
		require.NoError(t, server.SetNextXID(t.Context(), next))
	}
	freeze(t, d)
	db = open(t, d)
	require.Negative(t, testenv.Value[int](t, d, `SELECT min(age(xmin)) FROM note`))
	insertMention(t, d, ids[1])
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[:2]...)
		requireFree(t, db, ids[2:]...)
		readAll(t, d, db)
	}
	require.Zero(t, look(t, db, ids...).Changed, "nothing changed")
	appeared, err := deletion(db, ids[2:3], func() { insertMention(t, d, ids[2]) })
	require.NoError(t, err)
	require.Contains(t, appeared, ids[2])
	_, err = deletion(db, ids[3:], nothing)
	require.NoError(t, err)
	// The id of a row that old may be a file's, later.
	testenv.InsertFile(t, d.Pool, testenv.File{ID: unknown})
	pass(t, db)
	require.True(t, look(t, db, unknown).Unknown[unknown])
	refresh(t, db)
	requireKept(t, db, unknown)
}

// freeze freezes every database, also those that nobody may connect to.
func freeze(t testing.TB, d *testenv.Database) {
	t.Helper()
	for _, name := range testenv.Column[string](t, d, `SELECT datname::text FROM pg_database`) {
		d.Exec(t, `ALTER DATABASE `+name+` ALLOW_CONNECTIONS true`)
		other := *d
		other.URL = d.Server.URL(name)
		conn := other.Conn(t)
		exec(t, conn, `VACUUM (FREEZE)`)
		require.NoError(t, conn.Close(t.Context()))
	}
}
