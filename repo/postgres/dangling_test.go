package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// A parent that its index does not find is there all the same: the row stays, and nothing
// goes until the index is mended. What a trigger keeps is not said to have gone.
func TestDanglingRowsBesideABlindIndex(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	file := newFiles(t, d, 1)[0]
	d.Exec(t, `INSERT INTO chat (id, user_id, archived, created_at, updated_at) SELECT lpad(i::text, 6, '0'), 'u', false, 1, 1 FROM generate_series(1, 2000) i`)
	d.Exec(t, `ANALYZE chat`)
	unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'hidden', $1, 1, 1)`, file)
	remove := func() (n int64, err error) {
		err = db.InTx(t.Context(), nil, func(tx repo.Tx) (err error) {
			n, err = db.RemoveDangling(t.Context(), tx, "chat_file", []string{"l"})
			return err
		})
		return n, err
	}
	blinded(t, d, "chat_pkey", func() {
		d.Exec(t, `INSERT INTO chat (id, user_id, archived, created_at, updated_at) VALUES ('hidden', 'u', false, 1, 1)`)
	})
	_, err := remove()
	requireBlind(t, err)
	require.EqualValues(t, 1, d.Exec(t, `SELECT FROM chat_file`))
	d.Exec(t, `REINDEX TABLE chat`)
	n, err := remove()
	require.NoError(t, err)
	require.Zero(t, n)

	unchecked(t, d, `DELETE FROM chat WHERE id = 'hidden'`)
	d.Exec(t, `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER keep BEFORE DELETE ON chat_file FOR EACH ROW EXECUTE FUNCTION keep()`)
	n, err = remove()
	require.NoError(t, err)
	require.Zero(t, n)
	d.Exec(t, `DROP TRIGGER keep ON chat_file`)
	n, err = remove()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

// Rows of two partitions may lie in the same place.
func TestDanglingRowsOfPartitionsAreCounted(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	newFiles(t, d, 1)
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	d.Exec(t, `ALTER TABLE chat_file RENAME TO chat_file_of_before;
		CREATE TABLE chat_file (LIKE chat_file_of_before) PARTITION BY LIST (user_id);
		CREATE TABLE of_a PARTITION OF chat_file FOR VALUES IN ('a');
		CREATE TABLE of_b PARTITION OF chat_file FOR VALUES IN ('b');
		INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('x', 'a', 'gone', 'gone', 1, 1), ('y', 'b', 'gone', 'gone', 1, 1)`)
	inTx(t, db, func(tx repo.Tx) {
		counts, err := db.CountDangling(t.Context(), tx)
		require.NoError(t, err)
		require.Contains(t, counts, repo.DanglingCount{Table: "chat_file", Found: 2, Total: 2})
	})
}
