package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// hostile are defaults of a database that would each make a transaction do
// something else.
var hostile = []string{
	`default_transaction_isolation = 'repeatable read'`,
	`default_transaction_read_only = on`,
	`default_transaction_deferrable = on`,
	`row_security = on`,
	`bytea_output = 'hex'`,
	`DateStyle = 'SQL, DMY'`,
	`IntervalStyle = 'sql_standard'`,
	`extra_float_digits = -15`,
	`TimeZone = 'Asia/Kathmandu'`,
	`synchronous_commit = off`,
	`search_path = 'elsewhere'`,
	`standard_conforming_strings = off`,
	`array_nulls = off`,
	`quote_all_identifiers = on`,
	`enable_seqscan = off`,
	`plan_cache_mode = 'force_generic_plan'`,
	`lock_timeout = '1h'`,
}

// What a database or a role prescribes for its sessions changes nothing: above
// all, a look sees what was committed after the transaction began.
func TestDefaultsOfTheDatabaseChangeNothing(t *testing.T) {
	t.Parallel()
	d, before := newDB(t)
	ids := newFiles(t, d, 4)
	d.Exec(t, `CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.file (id text, path text); INSERT INTO elsewhere.file VALUES ('x')`)
	for table, key := range map[string]string{"of_real": "1.1::real / 3", "of_time": "'2024-02-01 10:00+02'::timestamptz", "of_interval": "'-1 year 3 days'::interval"} {
		d.Exec(t, `CREATE TABLE `+table+` AS SELECT `+key+` AS k, ''::text AS v; ALTER TABLE `+table+` ADD PRIMARY KEY (k)`)
	}
	d.Exec(t, `UPDATE of_real SET v = $1`, ids[0])
	d.Exec(t, `UPDATE of_time SET v = $1`, ids[1])
	d.Exec(t, `UPDATE of_interval SET v = $1`, ids[2])
	refresh(t, before)
	readAll(t, d, before)
	for _, setting := range hostile {
		d.Exec(t, `ALTER DATABASE `+d.Name+` SET `+setting)
	}
	db := open(t, d)
	for range 2 {
		requireKept(t, db, ids[:3]...)
		requireFree(t, db, ids[3])
		// A pass of these sessions names rows as those of other sessions do.
		d.Pool.Reset()
		refresh(t, db)
		requireKept(t, before, ids[:3]...)
	}
	inTx(t, db, func(tx repo.Tx) {
		locked, err := db.Lock(t.Context(), tx, ids, repo.Ages{})
		require.NoError(t, err)
		require.Len(t, locked.Files, len(ids))
		conn := d.Conn(t)
		exec(t, conn, `SET default_transaction_read_only = off`)
		exec(t, conn, `INSERT INTO public.note (id, user_id, title, created_at, updated_at) VALUES ('late', 'u', '`+ids[3]+`', 1, 1)`)
		found, err := db.Look(t.Context(), tx, ids)
		require.NoError(t, err)
		require.Contains(t, found.Referenced, ids[3])
	})
}

func settingIn(t testing.TB, tx repo.Tx, name, value string) bool {
	t.Helper()
	n, err := tx.Exec(context.Background(), `SELECT WHERE current_setting($1) = $2`, name, value)
	require.NoError(t, err)
	return n == 1
}

// A commit is durable where the database's default is not, and stays what is
// more than that.
func TestCommitsAreDurable(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply",
	} {
		d, _ := newDB(t)
		d.Exec(t, `ALTER DATABASE `+d.Name+` SET synchronous_commit = `+setting)
		inTx(t, open(t, d), func(tx repo.Tx) {
			require.True(t, settingIn(t, tx, "synchronous_commit", want), setting)
		})
	}
}
