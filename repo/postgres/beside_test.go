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

// A migration of the application takes the strongest locks, one after the other. Who
// holds rows gives way long before PostgreSQL looks for a deadlock, whose victim the
// migration would be.
func TestBesideAMigrationWeGiveWay(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(*testing.T, *testenv.Database, *postgres.DB, []string, func()) error{
		"a batch": func(t *testing.T, _ *testenv.Database, db *postgres.DB, ids []string, migrate func()) error {
			return db.InTx(t.Context(), nil, func(tx repo.Tx) error {
				_, err := db.Lock(t.Context(), tx, ids, repo.Ages{})
				require.NoError(t, err)
				migrate()
				_, err = db.FindReferences(t.Context(), tx, ids)
				return err
			})
		},
		"tombstones": func(t *testing.T, _ *testenv.Database, db *postgres.DB, ids []string, migrate func()) error {
			return db.InTx(t.Context(), nil, func(tx repo.Tx) error {
				_, err := tx.Exec(t.Context(), `SELECT FROM public.file`)
				require.NoError(t, err)
				migrate()
				_, err = tx.Exec(t.Context(), `SELECT FROM public.note`)
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			db := openWith(t, postgres.Options{URL: d.URL, LockTimeout: time.Hour, StatementTimeout: time.Hour})
			ids := newFiles(t, d, 2)
			refresh(t, db)
			look(t, db, ids...)
			migration, done := d.Conn(t), make(chan error, 1)
			exec(t, migration, `BEGIN; LOCK TABLE note IN ACCESS EXCLUSIVE MODE`)
			err := step(t, d, db, ids, func() {
				go func() {
					_, err := migration.Exec(context.Background(), `ALTER TABLE file ADD extra text; COMMIT`)
					done <- err
				}()
				require.Eventually(t, func() bool {
					return testenv.Value[bool](t, d, `SELECT count(*) > 0 FROM pg_locks WHERE relation = 'file'::regclass AND NOT granted`)
				}, testTimeout, tick)
			})
			require.Equal(t, lockNotAvailable, repo.SQLState(err))
			require.Equal(t, repo.Passing, repo.KindOf(err))
			require.NoError(t, <-done, "the application's migration")
		})
	}
}

// How long is what the server says, and the first lock may be waited for.
func TestBesideOthersWaitsAreATenthOfDeadlockTimeout(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	for timeout, want := range map[string]string{"1s": "100ms", "5ms": "1ms", "2min": "12s", "1500ms": "150ms"} {
		d.Exec(t, `ALTER DATABASE `+d.Name+` SET deadlock_timeout = '`+timeout+`'`)
		db := openWith(t, postgres.Options{URL: d.URL})
		inTx(t, db, func(tx repo.Tx) {
			n, err := tx.Exec(t.Context(), `SELECT WHERE current_setting('lock_timeout') = $1`, want)
			require.NoError(t, err)
			require.EqualValues(t, 1, n, timeout)
		})
		db.Close()
	}
}

// A look tells whose transaction may yet commit a mention, or a row.
func TestBesideAWriterALookSaysWho(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	refresh(t, db)
	pending := func() (string, string) {
		found := look(t, db, ids...)
		return found.Pending, found.PendingRows
	}
	requireNobody := func() {
		t.Helper()
		mentions, rows := pending()
		require.Empty(t, mentions)
		require.Empty(t, rows)
	}
	writer := d.Conn(t)
	exec(t, writer, `SET application_name = 'an application'`)
	exec(t, writer, `BEGIN; UPDATE note SET title = title; UPDATE file SET filename = filename`)
	requireNobody() // it is young
	db.WaitForWriters()
	mentions, rows := pending()
	require.Contains(t, mentions, `("an application") has written to public.note`)
	require.Contains(t, rows, `("an application") has written to public.file`)
	require.NotContains(t, mentions, "UPDATE")
	exec(t, writer, `ROLLBACK`)
	requireNobody()

	for _, harmless := range []string{`SELECT FROM note FOR SHARE`, `CREATE TEMP TABLE a (v text)`, `LOCK TABLE note IN SHARE MODE`, `UPDATE alembic_version SET version_num = version_num`} {
		exec(t, writer, `BEGIN; `+harmless)
		requireNobody()
		exec(t, writer, `ROLLBACK`)
	}
	exec(t, writer, `BEGIN; LOCK TABLE note IN SHARE ROW EXCLUSIVE MODE`)
	mentions, _ = pending()
	require.Contains(t, mentions, "public.note")
	exec(t, writer, `ROLLBACK`)

	// Our own, of another process.
	other := open(t, d)
	require.ErrorIs(t, other.InTx(t.Context(), nil, func(tx repo.Tx) error {
		_, err := other.Lock(t.Context(), tx, ids, repo.Ages{})
		require.NoError(t, err)
		_, err = other.Delete(t.Context(), tx, ids, 0)
		require.NoError(t, err)
		requireNobody()
		return errUndone
	}), errUndone)
}

// A writer that began after an earlier look of the same transaction is as young as it is,
// though a transaction keeps what it saw of others' sessions.
func TestBesideAWriterThatBeganBetweenTwoLooks(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	refresh(t, db)
	first, writer := d.Conn(t), d.Conn(t)
	exec(t, first, `BEGIN; LOCK TABLE note IN ROW EXCLUSIVE MODE`)
	inTx(t, db, func(tx repo.Tx) {
		pending := func() string {
			found, err := db.FindReferences(t.Context(), tx, ids)
			require.NoError(t, err)
			return found.Pending
		}
		require.Empty(t, pending())
		exec(t, writer, `BEGIN; UPDATE note SET title = title`)
		require.Empty(t, pending())
	})
	exec(t, writer, `ROLLBACK`)
	exec(t, first, `ROLLBACK`)
}

// A role that may not see since when waits for whoever writes, and says what helps.
func TestBesideAWriterWhoseAgeIsHidden(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	_, db := openRole(t, d)
	ids := newFiles(t, d, 1)
	refresh(t, db)
	writer := d.Conn(t)
	exec(t, writer, `BEGIN; UPDATE note SET title = title`)
	require.Contains(t, look(t, db, ids...).Pending, "GRANT pg_read_all_stats")
	exec(t, writer, `ROLLBACK`)
	require.Empty(t, look(t, db, ids...).Pending)
}

// One that is prepared has no session, and holds its locks all the same. Doctor names
// who keeps the mark back, and never what it said.
func TestBesideAnIdleTransactionDoctorSaysWho(t *testing.T) {
	t.Parallel()
	d := testenv.NewServer(t, testenv.ServerOptions{Settings: []string{"max_prepared_transactions=2"}}).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 1)
	refresh(t, db)
	require.True(t, examined(t, db, "transactions").OK)
	db.WaitForWriters()
	writer := d.Conn(t)
	exec(t, writer, `SET application_name = 'forgetful'`)
	exec(t, writer, `BEGIN; INSERT INTO note (id, user_id, title) VALUES ('secret', 'u', 'secret')`)
	f := examined(t, db, "transactions")
	require.False(t, f.OK)
	require.Contains(t, f.Detail, `(application "forgetful", idle in transaction, database `+d.Name)
	require.Contains(t, f.Remedy, "pg_terminate_backend")
	require.NotContains(t, f.Detail+f.Remedy, "secret")
	exec(t, writer, `PREPARE TRANSACTION 'p'`)
	f = examined(t, db, "transactions")
	require.Contains(t, f.Detail, `the prepared transaction "p"`)
	require.Contains(t, look(t, db, ids...).Pending, `the prepared transaction "p"`)
	exec(t, writer, `ROLLBACK PREPARED 'p'`)
	require.Empty(t, look(t, db, ids...).Pending)
	require.True(t, examined(t, db, "transactions").OK)

	exec(t, writer, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'secret' FROM note`)
	f = examined(t, db, "transactions")
	require.True(t, f.OK && f.Warn)
	require.Contains(t, f.Detail, `(application "forgetful", idle in transaction, database `+d.Name)
	require.NotContains(t, f.Detail+f.Remedy, "secret")
	exec(t, writer, `ROLLBACK; BEGIN; UPDATE note SET title = title`)
	f.Warn = false
	exec(t, writer, `INSERT INTO note (id, user_id, title) VALUES ('another', 'u', 'secret')`)
	for age := time.Millisecond; !f.Warn && age < time.Hour; age *= 2 {
		db.WaitForWritersOf(age)
		f = examined(t, db, "transactions")
	}
	require.True(t, f.OK && f.Warn, "until it is old it is a warning")
	require.Contains(t, f.Detail, `application "forgetful"`)
}
