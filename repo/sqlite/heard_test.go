package sqlite

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// TestTransactionIsWrittenOver: a process is killed after it wrote a transaction to the log
// and before it told so. A batch reads ahead while the next writer is at work, whose
// transaction begins with the same page 1 where it makes the database as much larger.
func TestTransactionIsWrittenOver(t *testing.T) {
	t.Parallel()
	for name, growth := range map[string]string{"as large": "%.12000c", "larger": "%.24000c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, ctx := uuid.NewString(), context.Background()
			db := opened(t, "a text")
			db.snapshot.stopTimer() // the log is not to be begun anew
			insertFile(t, db, id)
			require.NoError(t, db.IndexAll(ctx, nil))
			require.Empty(t, runBatch(t, db, id).Referenced)
			require.NoError(t, db.tailer.readAhead(db.options.Path))
			end := 32 + db.tailer.at.Frames()*4120
			unheard := writeUnheard(t, db.options.Path, end, growth)

			next, err := db.pool.Conn(ctx)
			require.NoError(t, err)
			defer next.Close()
			_, err = next.ExecContext(ctx, `BEGIN IMMEDIATE`)
			require.NoError(t, err)
			_, err = next.ExecContext(ctx, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n', 'u', ?, printf('%.12000c', 'y'), 1, 1)`, id)
			require.NoError(t, err)
			log, err := os.OpenFile(db.options.Path+"-wal", os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = log.WriteAt(unheard, end)
			require.NoError(t, err)
			require.NoError(t, log.Close())
			require.NoError(t, db.tailer.readAhead(db.options.Path))
			_, err = next.ExecContext(ctx, `COMMIT`)
			require.NoError(t, err)
			for range 2 {
				require.Contains(t, runBatch(t, db, id).Referenced, id)
			}
		})
	}
}

// writeUnheard writes a transaction on a copy of the database, and returns it as it stands in
// the log from there on.
func writeUnheard(t *testing.T, path string, end int64, growth string) []byte {
	t.Helper()
	other := filepath.Join(t.TempDir(), "webui.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		if suffix != "" {
			content = content[:end]
		}
		require.NoError(t, os.WriteFile(other+suffix, content, 0o600))
	}
	killed, err := testenv.OpenSQLite(other, "wal")
	require.NoError(t, err)
	defer killed.Close()
	_, err = killed.Exec(`INSERT INTO chat_message (id, chat_id, role, content) VALUES ('m', 'c', 'user', printf(?, 'x'))`, growth)
	require.NoError(t, err)
	content, err := os.ReadFile(other + "-wal")
	require.NoError(t, err)
	return content[end:]
}

// TestLastTransactionIsDoubtful: one that nobody had been told of when the index was read may
// have been written once more, the very same.
func TestLastTransactionIsDoubtful(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	db := opened(t, "a text")
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	_, err := db.pool.Exec(`UPDATE note SET title = ?`, uuid.NewString())
	require.NoError(t, err)
	require.Empty(t, runBatch(t, db, id).Referenced)
	require.NoError(t, db.tailer.readAhead(db.options.Path))
	before := db.index.at
	_, err = db.pool.Exec(`INSERT INTO config (key, value) VALUES ('k', '1')`)
	require.NoError(t, err)
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		require.NoError(t, sqliteTx(tx).lockWrite(ctx))
		_, c, err := db.observeState(ctx)
		require.NoError(t, err)
		require.Equal(t, before, db.index.at)
		require.Subset(t, c.pages, setOf(db.tailer.doubtful))
		return err
	}))
}

func setOf(pages []uint32) map[uint32]bool {
	set := map[uint32]bool{}
	for _, page := range pages {
		set[page] = true
	}
	return set
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

// TestTriggerOfOurDeletion: what a trigger writes where we delete is a mention like others,
// also where no log tells of it.
func TestTriggerOfOurDeletion(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		gone, kept, ctx := uuid.NewString(), uuid.NewString(), context.Background()
		db := openedWith(t, journal, "a text")
		insertFile(t, db, gone)
		insertFile(t, db, kept)
		_, err := db.pool.Exec(`CREATE TRIGGER audit AFTER DELETE ON file BEGIN
			INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('audit', 'u', 'see ` + kept + `', 1, 1); END`)
		require.NoError(t, err)
		require.NoError(t, db.IndexAll(ctx, nil))
		require.Empty(t, runBatch(t, db, kept).Referenced)
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
			_, err := db.FindReferences(ctx, tx, []string{gone})
			require.NoError(t, err)
			_, err = db.Delete(ctx, tx, []string{gone}, 0)
			return err
		}))
		require.Contains(t, runBatch(t, db, kept).Referenced, kept, journal)
	}
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

// TestLogOfADrainIsBounded: batches follow each other, and none needs a pass outside of the
// lock.
func TestLogOfADrainIsBounded(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	db := opened(t, "a text")
	db.snapshot.maxLog = 2 << 20
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	for range 20 {
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
			if _, err := db.FindReferences(ctx, tx, []string{id}); err != nil {
				return err
			}
			return db.RecordEntries(ctx, tx, []repo.Entry{{FileID: uuid.NewString(), Outcome: "deleted", Reason: string(make([]byte, 400_000))}})
		}))
	}
	info, err := os.Stat(db.options.Path + "-wal")
	require.NoError(t, err)
	require.Less(t, info.Size(), 3*db.snapshot.maxLog)
}
