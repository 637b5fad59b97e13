package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// blinded runs fn while an index takes no entries: rows that it writes are not found
// by it ever after.
func blinded(t testing.TB, d *testenv.Database, index string, fn func()) {
	t.Helper()
	d.Exec(t, `UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = $1::text::regclass`, index)
	fn()
	d.Exec(t, `UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = $1::text::regclass`, index)
}

func requireBlind(t testing.TB, err error) {
	t.Helper()
	require.ErrorContains(t, err, "REINDEX")
	require.Equal(t, repo.Environment, repo.KindOf(err))
}

// A row that its index does not find is there all the same: its file is not gone, and
// nothing is done until the index is mended.
func TestBlindIndexOfFiles(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2000) // more than the planner reads a table for
	d.Exec(t, `ANALYZE file`)
	var hidden string
	blinded(t, d, "file_pkey", func() { hidden = newFiles(t, d, 1)[0] })
	refresh(t, db)
	lock := func(ids ...string) (locked repo.Locked, err error) {
		err = db.InTx(t.Context(), nil, func(tx repo.Tx) (err error) {
			locked, err = db.Lock(t.Context(), tx, ids, repo.Ages{})
			return err
		})
		return locked, err
	}
	_, err := lock(ids[0], hidden)
	requireBlind(t, err)
	locked, err := lock(ids[0], "no such file")
	require.NoError(t, err)
	require.Equal(t, []string{"no such file"}, locked.Gone)
	requireBlind(t, db.IndexAll(t.Context(), nil)) // it is not ready until that is mended
	d.Exec(t, `REINDEX TABLE file`)
	refresh(t, db)
	locked, err = lock(ids[0], hidden)
	require.NoError(t, err)
	require.Len(t, locked.Files, 2)
}

// A row that mentions a file, and the chat that a link lives by, are there although
// their indexes do not find them; they are not forgotten either.
func TestBlindIndexOfMentions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		index string
		write func(t testing.TB, d *testenv.Database, file string)
	}{
		"the row": {"note_pkey", func(t testing.TB, d *testenv.Database, file string) { insertMention(t, d, file) }},
		"its parent": {"chat_pkey", func(t testing.TB, d *testenv.Database, file string) {
			testenv.LinkChat(t, d.Pool, testenv.InsertChat(t, d.Pool, testenv.Chat{}).ID, file)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 3)
			d.Exec(t, `INSERT INTO note (id, user_id, title) SELECT lpad(i::text, 6, '0'), 'u', 't' FROM generate_series(1, 2000) i`)
			d.Exec(t, `INSERT INTO chat (id, user_id, title, chat) SELECT lpad(i::text, 6, '0'), 'u', 't', '{}' FROM generate_series(1, 2000) i`)
			blinded(t, d, c.index, func() { withoutKeys(t, d, func() { c.write(t, d, ids[0]) }) })
			insertMention(t, d, ids[1])
			refresh(t, db)
			readAll(t, d, db)
			d.Exec(t, `ANALYZE; UPDATE pruned.state SET tidied_at = 'epoch'`)
			refresh(t, db) // forgets what vanished
			d.Exec(t, `DELETE FROM note WHERE title = $1`, ids[1])
			if found, err := tryLook(db, ids...); err != nil {
				requireBlind(t, err)
			} else { // the planner read the whole table
				require.Contains(t, found.Referenced, ids[0])
			}
			requireFree(t, db, ids[1:]...)
			d.Exec(t, `REINDEX TABLE note; REINDEX TABLE chat`)
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1:]...)
		})
	}
}

// withoutKeys runs fn with no foreign key in its way: their checks go by the index.
func withoutKeys(t testing.TB, d *testenv.Database, fn func()) {
	t.Helper()
	d.Exec(t, `ALTER TABLE chat_file DISABLE TRIGGER ALL`)
	fn()
	d.Exec(t, `ALTER TABLE chat_file ENABLE TRIGGER ALL`)
}

// With another version of its collation no index is believed, and what to do is told.
func TestBlindCollationIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change, mend string
		says         []string
	}{
		"of the database": {
			`UPDATE pg_database SET datcollversion = '0.1' WHERE datname = current_database()`,
			`UPDATE pg_database SET datcollversion = pg_database_collation_actual_version(oid) WHERE datname = current_database()`,
			[]string{"version 0.1", "REINDEX DATABASE", "REFRESH COLLATION VERSION"},
		},
		"of a column": {
			`CREATE COLLATION mine FROM "C"; CREATE TABLE extra (id text COLLATE mine PRIMARY KEY); UPDATE pg_collation SET collversion = '0.1' WHERE collname = 'mine'`,
			`DROP TABLE extra`,
			[]string{"version 0.1", "public.mine", "ALTER COLLATION"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "of the database" {
				testenv.NeedsNewest(t, "versions of a database's collation")
			}
			d, db := newDB(t)
			ids := newFiles(t, d, 2)
			refresh(t, db)
			look(t, db, ids...)
			d.Exec(t, c.change)
			_, opened := postgres.Open(t.Context(), postgres.Options{URL: d.URL})
			for _, err := range []error{
				opened, db.IndexChanges(t.Context()),
				func() error { _, err := tryLook(db, ids...); return err }(),
			} {
				require.Equal(t, repo.Environment, repo.KindOf(err))
				for _, says := range c.says {
					require.ErrorContains(t, err, says)
				}
			}
			d.Exec(t, c.mend)
			refresh(t, db)
			requireFree(t, db, ids...)
		})
	}
}

// Doctor names indexes that take no entries.
func TestBlindIndexIsTold(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	blinded(t, d, "chat_pkey", func() {
		found := examined(t, db, "indexes")
		require.False(t, found.OK)
		require.Contains(t, found.Remedy, "REINDEX INDEX CONCURRENTLY public.chat_pkey")
	})
	require.True(t, examined(t, db, "indexes").OK)
}
