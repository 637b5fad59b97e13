package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

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
			unheard := writeUnheard(t, db.options.Path, end, `INSERT INTO chat_message (id, chat_id, role, content) VALUES ('m', 'c', 'user', printf('`+growth+`', 'x'))`)

			next, err := db.pool.Conn(ctx)
			require.NoError(t, err)
			defer next.Close()
			_, err = next.ExecContext(ctx, `BEGIN IMMEDIATE`)
			require.NoError(t, err)
			_, err = next.ExecContext(ctx, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n', 'u', ?, printf('%.12000c', 'y'), 1, 1)`, id)
			require.NoError(t, err)
			writeLogAt(t, db.options.Path, unheard, end)
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
func writeUnheard(t *testing.T, path string, end int64, statement string) []byte {
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
	_, err = killed.Exec(statement)
	require.NoError(t, err)
	content, err := os.ReadFile(other + "-wal")
	require.NoError(t, err)
	return content[end:]
}

// TestTransactionIsWrittenAgain: the index is read while the transaction of a killed process
// stands at the end of the log; then another one writes the very same, and more.
func TestTransactionIsWrittenAgain(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	db := opened(t, "a text")
	db.snapshot.stopTimer()
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	require.NoError(t, db.tailer.readAhead(db.options.Path))
	end := 32 + db.tailer.at.Frames()*4120
	mention := `UPDATE note SET title = '` + id + `'`
	unheard := writeUnheard(t, db.options.Path, end, mention)
	writeLogAt(t, db.options.Path, unheard, end)
	require.NoError(t, db.IndexChanges(ctx))
	require.Equal(t, end+int64(len(unheard)), 32+db.index.at.log.Bytes())

	_, err := db.pool.Exec(mention)
	require.NoError(t, err)
	written, err := os.ReadFile(db.options.Path + "-wal")
	require.NoError(t, err)
	require.Equal(t, unheard, written[end:end+int64(len(unheard))], "the very same")
	_, err = db.pool.Exec(`INSERT INTO config (key, value) VALUES ('k', '1')`)
	require.NoError(t, err)
	require.Contains(t, runBatch(t, db, id).Referenced, id)
}

func writeLogAt(t *testing.T, path string, content []byte, at int64) {
	t.Helper()
	log, err := os.OpenFile(path+"-wal", os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = log.WriteAt(content, at)
	require.NoError(t, err)
	require.NoError(t, log.Close())
}
