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
	insertMention(t, d, "nothing")
	refresh(t, db)
	inTx(t, db, func(tx repo.Tx) {
		found, err := db.FindReferences(t.Context(), tx, ids)
		require.NoError(t, err)
		insertMention(t, d, ids[0])
		other := d.Conn(t)
		exec(t, other, `BEGIN; SELECT pg_current_xact_id()`)
		_, err = db.Lock(t.Context(), tx, ids, repo.Ages{})
		require.NoError(t, err)
		appeared, err := db.RecheckReferences(t.Context(), tx, found, ids, nil)
		require.NoError(t, err)
		require.Contains(t, appeared.References, ids[0])
		exec(t, other, `ROLLBACK`)
	})
}

// A table that comes between the look and the end brings rows that are older
// than the look, and may have been read by somebody's refresh meanwhile.
func TestTableThatComesMeanwhile(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	d.Exec(t, `CREATE SCHEMA elsewhere;
		CREATE TABLE elsewhere.document_chunk (id int PRIMARY KEY, collection_name text, vmetadata text); INSERT INTO elsewhere.document_chunk VALUES (1, '`+ids[0]+`')`)
	refresh(t, db)
	other := open(t, d)
	_, err := deletion(db, ids, func() {
		d.Exec(t, `ALTER TABLE elsewhere.document_chunk RENAME TO part`)
		refresh(t, other)
	})
	require.Equal(t, repo.Passing, repo.KindOf(err))
	requireAll(t, d, 1)
	requireKept(t, db, ids...)
}
