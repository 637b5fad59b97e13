package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// TestAPassOverChangesReadsThemAlone: however many rows there are beside them.
func TestAPassOverChangesReadsThemAlone(t *testing.T) {
	t.Parallel()
	db, ctx := opened(t, "a text"), context.Background()
	exec := func(query string, args ...any) {
		_, err := db.pool.Exec(query, args...)
		require.NoError(t, err)
	}
	exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
		INSERT INTO chat_message (id, chat_id, role, content) SELECT i, 'c', 'user', printf('%.500c', 'x') FROM n`)
	require.NoError(t, db.IndexAll(ctx, nil))
	changed := func() int {
		before := db.reader.pager.PagesRead()
		require.NoError(t, db.IndexChanges(ctx))
		return db.reader.pager.PagesRead() - before
	}
	insertFile(t, db, uuid.NewString())
	changed() // table file is not one of those that were read before
	exec(`UPDATE chat_message SET content = replace(content, 'x', 'z') WHERE id = '77'`)
	changed()
	exec(`UPDATE chat_message SET content = replace(content, 'z', 'y') WHERE id = '77'`)
	require.Equal(t, 1, changed(), "the leaf of the row, which the transaction before has written as well")
	exec(`INSERT INTO chat_message (id, chat_id, role, content) VALUES ('more', 'c', 'user', hex(zeroblob(1500)))`)
	require.Positive(t, changed(), "all that is above the new leaf, and that")
}

// TestPassWithinOwnWrites: a transaction sees the pages of tables as it has changed them,
// which stand in no log before it commits.
func TestPassWithinOwnWrites(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	db, ctx := opened(t, "a text"), context.Background()
	_, err := db.pool.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
		INSERT INTO note (id, user_id, title, data, created_at, updated_at) SELECT i, 'u', 't', printf('%.500c', 'x'), 1, 1 FROM n`)
	require.NoError(t, err)
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	find := func(tx repo.Tx) (mentioned bool) {
		look, err := db.FindReferences(ctx, tx, []string{id})
		require.NoError(t, err)
		return look.Referenced[id].Table != ""
	}
	_, err = db.pool.Exec(`UPDATE note SET title = ? WHERE id = '4000'`, id)
	require.NoError(t, err)
	require.ErrorIs(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM note WHERE rowid > 10`)
		require.NoError(t, err)
		require.False(t, find(tx))
		return repo.ErrDryRun
	}), repo.ErrDryRun)
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		require.True(t, find(tx))
		return nil
	}))
}

// TestOwnWritesMoveRows: the application changes the end of a long row, and a transaction of
// ours moves that row to another leaf before it looks.
func TestOwnWritesMoveRows(t *testing.T) {
	t.Parallel()
	id, none, ctx := uuid.NewString(), uuid.NewString(), context.Background()
	db := opened(t, "a text")
	_, err := db.pool.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
		INSERT INTO note (id, user_id, title, data, created_at, updated_at) SELECT i, 'u', 't', printf('%.500c', 'x'), 1, 1 FROM n`)
	require.NoError(t, err)
	_, err = db.pool.Exec(`UPDATE note SET data = printf('%.16780c', 'x') || ? WHERE rowid = 50`, none)
	require.NoError(t, err)
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	_, err = db.pool.Exec(`UPDATE note SET data = substr(data, 1, 16780) || ? WHERE rowid = 50`, id)
	require.NoError(t, err)
	require.ErrorIs(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM note WHERE rowid <> 50`)
		require.NoError(t, err)
		look, err := db.FindReferences(ctx, tx, []string{id})
		require.NoError(t, err)
		require.Contains(t, look.Referenced, id)
		return repo.ErrDryRun
	}), repo.ErrDryRun)
	require.Contains(t, runBatch(t, db, id).Referenced, id)
}

// TestNewLeavesAreFound: of a table with several levels above its leaves a row that is added
// writes the lowest of them, and seldom the root.
func TestNewLeavesAreFound(t *testing.T) {
	t.Parallel()
	path, ctx := filepath.Join(t.TempDir(), "webui.db"), context.Background()
	require.NoError(t, os.WriteFile(path, makeTemplate(t, 512), 0o600))
	app, err := testenv.OpenSQLite(path, "wal")
	require.NoError(t, err)
	t.Cleanup(func() { _ = app.Close() })
	db, err := Open(ctx, Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	var ids []string
	for range 30 {
		ids = append(ids, uuid.NewString())
		insertFile(t, db, ids[len(ids)-1])
	}
	_, err = app.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO note (id, user_id, title, created_at, updated_at) SELECT i, 'u', 'a title', 1, 1 FROM n`)
	require.NoError(t, err)
	require.NoError(t, db.IndexAll(ctx, nil))
	read := db.index
	require.Empty(t, runBatch(t, db, ids...).Referenced)
	for i, id := range ids {
		_, err := app.Exec(`INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES (?, 'u', ?, printf('%.300c', 'x'), 1, 1)`, uuid.NewString(), id)
		require.NoError(t, err)
		require.Len(t, runBatch(t, db, ids...).Referenced, i+1)
	}
	requireFollowed(t, db, read)
}

// TestChangedEndOfARowIsFound: where a row is replaced by one of the same length, SQLite
// writes only the pages that differ, of which its leaf is none.
func TestChangedEndOfARowIsFound(t *testing.T) {
	t.Parallel()
	id, none := uuid.NewString(), uuid.NewString()
	db, ctx := opened(t, strings.Repeat("x", 20_000)+none), context.Background()
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	read := db.index
	require.Empty(t, runBatch(t, db, id).Referenced)
	_, err := db.pool.Exec(`UPDATE note SET data = substr(data, 1, 20000) || ?`, id)
	require.NoError(t, err)
	require.NoError(t, db.tailer.readAhead(db.options.Path))
	trees := db.index.trees[noteRoot(t, db)]
	require.NotContains(t, db.tailer.pages, trees.leaves[0])
	require.Contains(t, runBatch(t, db, id).Referenced, id)
	requireFollowed(t, db, read)
}

func noteRoot(t *testing.T, db *DB) (root uint32) {
	t.Helper()
	_, err := queryOne(context.Background(), db.pool, `SELECT rootpage FROM sqlite_schema WHERE name = 'note'`, nil, &root)
	require.NoError(t, err)
	return root
}
