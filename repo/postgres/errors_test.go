package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Every code by which PostgreSQL may refuse, and what it means for a batch.
func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	_, db := newDB(t)
	for code, want := range map[string]repo.Kind{
		"08006": repo.Passing, "08003": repo.Passing, "40001": repo.Passing, "40P01": repo.Passing,
		"40003": repo.Passing, "55P03": repo.Passing, "55006": repo.Passing, "57014": repo.Passing,
		"57P01": repo.Passing, "57P02": repo.Passing, "57P03": repo.Passing, "57P05": repo.Passing,
		"53200": repo.Passing, "25P03": repo.Passing, "25P04": repo.Passing, "26000": repo.Passing, "42P05": repo.Passing,

		"08P01": repo.Environment, "53000": repo.Environment, "53100": repo.Environment, "53300": repo.Environment,
		"53400": repo.Environment, "25006": repo.Environment, "28000": repo.Environment, "28P01": repo.Environment,
		"3D000": repo.Environment, "3F000": repo.Environment, "42501": repo.Environment, "42P01": repo.Environment,
		"42703": repo.Environment, "0A000": repo.Environment, "55000": repo.Environment, "58030": repo.Environment,
		"58P01": repo.Environment, "F0000": repo.Environment, "HV00N": repo.Environment, "39000": repo.Environment, "XX001": repo.Environment,
		"XX002": repo.Environment,

		"23503": repo.Permanent, "23505": repo.Permanent, "23514": repo.Permanent, "23502": repo.Permanent,
		"P0001": repo.Permanent, "P0002": repo.Permanent, "22012": repo.Permanent, "22P02": repo.Permanent,
		"2F002": repo.Permanent, "38000": repo.Permanent, "44000": repo.Permanent, "ZZ123": repo.Permanent,
	} {
		err := db.InTx(t.Context(), nil, func(tx tx) error {
			_, err := tx.Exec(t.Context(), `DO $$ BEGIN RAISE SQLSTATE '`+code+`'; END $$`)
			return err
		})
		require.Equal(t, code, repo.SQLState(err))
		require.Equal(t, want, repo.KindOf(err), code)
	}
}

// The same from the real causes.
func TestRealErrors(t *testing.T) {
	t.Parallel()
	_, db := newDB(t)
	for name, c := range map[string]struct {
		before, sql string
		state       string
		kind        repo.Kind
		says        string
	}{
		"read-only transaction": {`SET TRANSACTION READ ONLY`, `DELETE FROM file`, "25006", repo.Environment, "read-only"},
		"missing table":         {``, `DELETE FROM nowhere`, "42P01", repo.Environment, "nowhere"},
		"missing schema":        {``, `CREATE TABLE nowhere.a ()`, "3F000", repo.Environment, "nowhere"},
		"foreign key": {
			`INSERT INTO note (id) VALUES ('n'); INSERT INTO pinned_note (id, user_id, note_id, created_at) VALUES ('p', 'u', 'n', 1);
			 ALTER TABLE pinned_note DROP CONSTRAINT pinned_note_note_id_fkey, ADD CONSTRAINT keeps FOREIGN KEY (note_id) REFERENCES note`,
			`DELETE FROM note`, "23503", repo.Permanent, "constraint keeps",
		},
		"unique":               {``, `INSERT INTO alembic_version SELECT version_num FROM alembic_version`, "23505", repo.Permanent, "alembic_version_pkc"},
		"temporary space":      {`SET LOCAL temp_file_limit = 100; SET LOCAL work_mem = '64kB'`, `SELECT count(*) FROM (SELECT i FROM generate_series(1, 200000) i ORDER BY random()) x`, "53400", repo.Environment, "temp_file_limit"},
		"division by zero":     {``, `SELECT 1 / 0`, "22012", repo.Permanent, "division by zero"},
		"a wrong pgcrypto key": {`CREATE EXTENSION pgcrypto`, `SELECT pgp_sym_decrypt(pgp_sym_encrypt('a', 'b'), 'c')`, "39000", repo.Environment, "Wrong key"},
	} {
		t.Run(name, func(t *testing.T) {
			err := db.InTx(t.Context(), nil, func(tx tx) error {
				_, err := tx.Exec(t.Context(), `SET LOCAL search_path TO DEFAULT; `+c.before)
				require.NoError(t, err)
				_, err = tx.Exec(t.Context(), c.sql)
				return err
			})
			require.Equal(t, c.state, repo.SQLState(err))
			require.Equal(t, c.kind, repo.KindOf(err))
			require.ErrorContains(t, err, c.says)
		})
	}
}

// Those that end the session, or never let one begin.
func TestErrorsOfSessions(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	role, db := openRole(t, d)
	do := func(sql string) error {
		return db.InTx(t.Context(), nil, func(tx tx) error {
			_, err := tx.Exec(t.Context(), sql)
			return err
		})
	}
	require.NoError(t, do(`SELECT 1`))
	err := db.InTx(t.Context(), nil, func(tx tx) error {
		d.Exec(t, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = $1`, role)
		_, err := tx.Exec(t.Context(), `SELECT 1`)
		return err
	})
	require.Equal(t, "57P01", repo.SQLState(err))
	require.Equal(t, repo.Passing, repo.KindOf(err))

	d.Exec(t, `ALTER ROLE `+role+` CONNECTION LIMIT 0`)
	require.Eventually(t, func() bool {
		err := do(`SELECT 1`)
		require.Error(t, err)
		return repo.SQLState(err) == "53300" && repo.KindOf(err) == repo.Environment
	}, testTimeout, tick, "too many connections")
	d.Exec(t, `ALTER ROLE `+role+` NOLOGIN`)
	err = do(`SELECT 1`)
	require.Equal(t, "28000", repo.SQLState(err))
	require.Equal(t, repo.Environment, repo.KindOf(err))
	d.Exec(t, `ALTER ROLE `+role+` LOGIN CONNECTION LIMIT -1`)
	require.NoError(t, do(`SELECT 1`))

	for url, want := range map[string]repo.Kind{
		d.Server.URL("nowhere"): repo.Environment, // no such database
		"postgres://nobody@" + hostOf(t, d) + "/x?sslmode=disable": repo.Environment, // no such role
		"postgres://x@127.0.0.1:1/x?connect_timeout=2":             repo.Environment, // nobody there
		"postgres://x@[::bad/x":                                    repo.Environment, // no URL
	} {
		_, err := postgres.Open(t.Context(), postgres.Options{URL: url})
		require.Equal(t, want, repo.KindOf(err), err)
	}
}

// Somebody else's deadlock with us, and a transaction that waited too long for
// its caller.
func TestErrorsOfWaiting(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db := openWith(t, postgres.Options{URL: d.URL, StatementTimeout: 2 * time.Second})
	err := db.InTx(t.Context(), nil, func(tx tx) error {
		require.Eventually(t, func() bool { // twice the timeout is the session's patience
			return !testenv.Value[bool](t, d, `SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'pruned' AND state = 'idle in transaction')`)
		}, testTimeout, tick)
		_, err := tx.Exec(t.Context(), `SELECT 1`)
		return err
	})
	require.Equal(t, "25P03", repo.SQLState(err))
	require.Equal(t, repo.Passing, repo.KindOf(err))

	db = open(t, d)
	ids := newFiles(t, d, 2)
	const take = `UPDATE file SET filename = 'x' WHERE id = $1`
	other := d.Conn(t)
	exec(t, other, `BEGIN`)
	exec(t, other, take, ids[1])
	released := make(chan error, 1)
	err = db.InTx(t.Context(), nil, func(tx tx) error {
		_, err := tx.Exec(t.Context(), `SET LOCAL deadlock_timeout = '10ms'; SET LOCAL search_path TO DEFAULT`)
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), take, ids[0])
		require.NoError(t, err)
		go func() {
			_, err := other.Exec(context.Background(), take, ids[0])
			released <- err
		}()
		require.Eventually(t, func() bool {
			return testenv.Value[bool](t, d, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = $1)`, other.PgConn().PID())
		}, testTimeout, tick)
		_, err = tx.Exec(t.Context(), take, ids[1])
		return err
	})
	require.Equal(t, "40P01", repo.SQLState(err))
	require.Equal(t, repo.Passing, repo.KindOf(err))
	require.NoError(t, <-released)
}
