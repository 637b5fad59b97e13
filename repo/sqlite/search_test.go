package sqlite

import (
	"context"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// TestCostOfOneFileIsOneSearch: to explain one file nothing is kept of the others,
// which are unknown then, and never free.
func TestCostOfOneFileIsOneSearch(t *testing.T) {
	t.Parallel()
	ids := []string{uuid.NewString(), uuid.NewString(), uuid.NewString()}
	db, ctx := opened(t, ids[0], uuid.NewString()), context.Background()
	for _, id := range ids {
		_, err := db.pool.Exec(`INSERT INTO file (id, user_id, filename, created_at) VALUES (?, 'u', 'f', 1)`, id)
		require.NoError(t, err)
	}
	look := func(ids ...string) (look repo.References) {
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) (err error) {
			look, err = db.FindReferences(ctx, tx, ids)
			return err
		}))
		return look
	}
	for i, id := range ids {
		require.NoError(t, db.IndexFiles(ctx, []string{id}, nil))
		require.Len(t, db.index.uuids, 1)
		require.Nil(t, db.index.otherUUIDs)
		found := look(ids...)
		require.Len(t, found.Unknown, 2)
		require.False(t, found.Unknown[id])
		require.Equal(t, i == 0, len(found.Referenced) == 1)
		mentions, err := db.ListReferences(ctx, &tx{db: db}, id)
		require.NoError(t, err)
		require.Equal(t, i == 0, len(mentions) == 1)
	}
	// What is written later counts, and other files stay unknown.
	late := uuid.NewString()
	_, err := db.pool.Exec(`INSERT INTO file (id, user_id, filename, created_at) VALUES (?, 'u', 'f', 1)`, late)
	require.NoError(t, err)
	_, err = db.pool.Exec(`UPDATE note SET title = ?`, ids[2])
	require.NoError(t, err)
	found := look(ids[2], late)
	require.True(t, found.Unknown[late])
	require.Contains(t, found.Referenced, ids[2])

	require.NoError(t, db.IndexAll(ctx, nil))
	found = look(append(ids, late)...)
	require.Empty(t, found.Unknown)
	require.Len(t, found.Referenced, 2)
}

// TestSmallestRowID: rows may be numbered by hand.
func TestSmallestRowID(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	db := opened(t, "a text")
	insertFile(t, db, id)
	_, err := db.pool.Exec(`CREATE TABLE plugin (id INTEGER PRIMARY KEY, file TEXT)`)
	require.NoError(t, err)
	_, err = db.pool.Exec(`INSERT INTO plugin VALUES (?, ?)`, int64(math.MinInt64), id)
	require.NoError(t, err)
	require.NoError(t, db.IndexAll(ctx, nil))
	require.Contains(t, runBatch(t, db, id).Referenced, id)
}

// TestPagesOfAnotherSize: a VACUUM may give them to a database without a log.
func TestPagesOfAnotherSize(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	db := openedWith(t, "delete", "a text")
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	require.Empty(t, runBatch(t, db, id).Referenced)
	app, err := db.pool.Conn(ctx)
	require.NoError(t, err)
	defer app.Close()
	for _, statement := range []string{`PRAGMA page_size = 8192`, `VACUUM`,
		`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('late', 'u', '` + id + `', 1, 1)`} {
		_, err = app.ExecContext(ctx, statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.IndexAll(ctx, nil))
	require.Contains(t, runBatch(t, db, id).Referenced, id)
}
