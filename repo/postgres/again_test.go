package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Whether a row is our own is told by its transaction, wherever age() began to
// count: here before we had a transaction number.
func TestLookAgainCountsFromAnywhere(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	mention(t, d, "nothing")
	refresh(t, db)
	inTx(t, db, func(tx repo.Tx) {
		found, err := db.Look(t.Context(), tx, ids)
		require.NoError(t, err)
		mention(t, d, ids[0])
		other := d.Conn(t)
		exec(t, other, `BEGIN; SELECT pg_current_xact_id()`)
		_, err = db.Lock(t.Context(), tx, ids, repo.Ages{})
		require.NoError(t, err)
		appeared, err := db.LookAgain(t.Context(), tx, found, ids, nil)
		require.NoError(t, err)
		require.Contains(t, appeared, ids[0])
		exec(t, other, `ROLLBACK`)
	})
}

// A table that comes between the look and the end brings rows that are older
// than the look, and may have been read by somebody's refresh meanwhile.
func TestTableThatComesMeanwhile(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE SCHEMA elsewhere;
		CREATE TABLE elsewhere.part (id int PRIMARY KEY, v text); INSERT INTO elsewhere.part VALUES (1, '`+ids[0]+`')`)
	refresh(t, db)
	other := open(t, d)
	_, err := deletion(db, ids, func() {
		d.Exec(t, `ALTER TABLE extra ATTACH PARTITION elsewhere.part DEFAULT`)
		refresh(t, other)
	})
	require.Equal(t, repo.Passing, repo.KindOf(err))
	requireAll(t, d, 1)
	requireKept(t, db, ids...)
}
