package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// TestAReplacedLogIsLeftAlone: somebody put a backup into webui.db and deleted its log beside
// us, as recipes say. What we have open is nobody's, and a lock on it keeps nobody out.
func TestAReplacedLogIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, newLog := range map[string]bool{"before the application starts": false, "after it started": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, ctx := uuid.NewString(), context.Background()
			path := t.TempDir() + "/webui.db"
			require.NoError(t, testenv.CopySQLite(ctx, path))
			app, err := testenv.OpenSQLite(path, "wal")
			require.NoError(t, err)
			_, err = app.Exec(`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', ?, 1, 1)`, id)
			require.NoError(t, err)
			require.NoError(t, app.Close())
			backup, err := os.ReadFile(path)
			require.NoError(t, err)

			db, err := Open(ctx, Options{Path: path})
			require.NoError(t, err)
			require.NoError(t, db.Migrate(ctx))
			insertFile(t, db, id)
			_, err = db.pool.Exec(`DELETE FROM note`)
			require.NoError(t, err)
			require.NoError(t, db.IndexAll(ctx, nil))
			require.Empty(t, runBatch(t, db, id).Referenced)
			_, err = db.pool.Exec(`INSERT INTO config (key, value) VALUES ('large', zeroblob(6000000))`)
			require.NoError(t, err)
			// As after deletions: the log is worth a checkpoint, and to be emptied at the close.
			db.lock.checkpointed, db.lock.wrote = -checkpointFrames, true
			reading, err := db.pool.Conn(ctx)
			require.NoError(t, err)
			_, err = reading.ExecContext(ctx, `SELECT count(*) FROM file`)
			require.NoError(t, err)

			require.NoError(t, os.Remove(path+"-wal"))
			require.NoError(t, os.Remove(path+"-shm"))
			require.NoError(t, os.WriteFile(path, backup, 0o644)) // the same file, as cp writes it
			if newLog {
				require.NoError(t, os.WriteFile(path+"-wal", make([]byte, 32), 0o644)) // none yet, for SQLite
				require.NoError(t, os.WriteFile(path+"-shm", nil, 0o644))
			}
			err = db.InTx(ctx, nil, func(tx repo.Tx) error {
				_, err := db.Delete(ctx, tx, []string{id}, 0)
				return err
			})
			require.ErrorContains(t, err, "log was replaced")
			require.Equal(t, repo.Environment, repo.KindOf(err))
			require.ErrorContains(t, db.Present(), "log was replaced")
			lease, err := db.AcquireLease(ctx, "sweep", time.Minute)
			require.ErrorContains(t, err, "log was replaced", lease)
			closeBeside(t, db, reading)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(backup, after), "what is left of a log that was deleted is in the backup now")

			anew, err := Open(ctx, Options{Path: path})
			require.NoError(t, err)
			defer anew.Close()
			require.NoError(t, anew.Migrate(ctx))
			insertFile(t, anew, id)
			require.NoError(t, anew.IndexAll(ctx, nil))
			require.Contains(t, runBatch(t, anew, id).Referenced, id)
		})
	}
}

// closeBeside closes a database while somebody reads from it.
func closeBeside(t *testing.T, db *DB, reading *sql.Conn) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		db.Close()
	}()
	const isClosed = "sql: database is closed" // a connection may fail earlier: to the file that was put there
	require.Eventually(t, func() bool { err := db.pool.Ping(); return err != nil && err.Error() == isClosed }, time.Minute, time.Millisecond)
	for range 10_000 {
		require.EqualError(t, db.pool.Ping(), isClosed)
	}
	select {
	case <-closed:
		t.Error("it is closed while somebody reads")
	default:
	}
	require.NoError(t, reading.Close())
	<-closed
}

// TestLeftOverLogIsNobodys: files that are left from when the database had a log may go.
func TestLeftOverLogIsNobodys(t *testing.T) {
	t.Parallel()
	ctx, id := context.Background(), uuid.NewString()
	db := openedWith(t, "delete", "a text")
	insertFile(t, db, id)
	for _, suffix := range []string{"-wal", "-shm"} {
		require.NoError(t, os.WriteFile(db.options.Path+suffix, nil, 0o644))
	}
	require.NoError(t, db.IndexAll(ctx, nil))
	require.Empty(t, runBatch(t, db, id).Referenced)
	for _, suffix := range []string{"-wal", "-shm"} {
		require.NoError(t, os.RemoveAll(db.options.Path+suffix))
	}
	require.Empty(t, runBatch(t, db, id).Referenced)
}
