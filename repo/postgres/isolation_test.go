package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
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
	tables := []string{"of_real", "of_time", "of_interval"}
	for i, key := range []string{`1.1::real / 3`, `'2024-02-01 10:00+02'::timestamptz`, `'-1 year 3 days'::interval`} {
		d.Exec(t, `CREATE TABLE `+tables[i]+` AS SELECT `+key+` AS k, ''::text AS v; ALTER TABLE `+tables[i]+` ADD PRIMARY KEY (k)`)
	}
	refresh(t, before)
	for _, setting := range hostile {
		d.Exec(t, `ALTER DATABASE `+d.Name+` SET `+setting)
	}
	// A pass of these sessions names rows as those of other sessions do.
	db := open(t, d)
	writer := d.Conn(t)
	exec(t, writer, `SET default_transaction_read_only = off`)
	for i, table := range tables {
		exec(t, writer, `UPDATE public.`+table+` SET v = $1`, ids[i])
	}
	for range 2 {
		for _, either := range []*postgres.DB{db, before} {
			requireKept(t, either, ids[:3]...)
			requireFree(t, either, ids[3])
		}
		readAll(t, d, db)
	}
	inTx(t, db, func(tx repo.Tx) {
		locked, err := db.Lock(t.Context(), tx, ids, repo.Ages{})
		require.NoError(t, err)
		require.Len(t, locked.Files, len(ids))
		exec(t, writer, `INSERT INTO public.note (id, user_id, title, created_at, updated_at) VALUES ('late', 'u', '`+ids[3]+`', 1, 1)`)
		found, err := db.FindReferences(t.Context(), tx, ids)
		require.NoError(t, err)
		require.Contains(t, found.Referenced, ids[3])
	})
}

// A commit is durable where the database's default is not, and stays what is
// more than that; that of a settlement alone is in no hurry.
func TestCommitsAreDurable(t *testing.T) {
	t.Parallel()
	d, _ := newDB(t)
	for setting, want := range map[string]string{
		"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply",
	} {
		db := openWith(t, postgres.Options{URL: d.URL + "&synchronous_commit=" + setting})
		inTx(t, db, func(tx repo.Tx) {
			requireCommits(t, tx, want)
			require.NoError(t, db.Settle(t.Context(), tx, repo.Settlement{}))
			requireCommits(t, tx, "off")
		})
	}
}

func requireCommits(t testing.TB, tx repo.Tx, want string) {
	t.Helper()
	n, err := tx.Exec(t.Context(), `SELECT WHERE current_setting('synchronous_commit') = $1`, want)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, want)
}
