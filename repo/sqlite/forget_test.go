package sqlite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/sqlite"
)

// countWord counts a word in the bytes of a database and of what lies beside it.
func countWord(t testing.TB, path, word string) (n int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(filepath.Dir(path), entry.Name()))
		require.NoError(t, err)
		n += bytes.Count(content, []byte(word))
	}
	return n
}

// What was deleted is in no byte of the database, its log or its journal, although the
// application goes on having it open. A text of more than a page lies in pages of its own.
// Of what is shorter a little may stay, where SQLite moved a row before it deleted it.
func TestDeletedTextIsForgotten(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			d := newMigrated(t, journal)
			long, short := uuid.NewString(), uuid.NewString()
			ids := newFiles(t, d, 500)
			d.Exec(t, `UPDATE file SET data = json_object('content', $1) WHERE rowid <= 100`,
				strings.Repeat("filler ", 1000)+strings.Repeat(long+" said so. ", 100))
			d.Exec(t, `UPDATE file SET data = json_object('content', $1), meta = json_object('name', $1) WHERE rowid BETWEEN 101 AND 400`, short)
			d.Exec(t, `VACUUM`)
			require.Greater(t, countWord(t, d.Path, long), 5000)
			require.GreaterOrEqual(t, countWord(t, d.Path, short), 600)
			db, err := sqlite.Open(context.Background(), sqlite.Options{Path: d.Path})
			require.NoError(t, err)
			require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
				_, err := db.Delete(context.Background(), tx, ids[:400], 0)
				return err
			}))
			db.Close()
			require.Zero(t, countWord(t, d.Path, long))
			require.Less(t, countWord(t, d.Path, short), 60)
			require.EqualValues(t, 100, d.Count(t, `SELECT count(*) FROM file`))
		})
	}
}

// A reader of the application's is not waited for; the log is emptied later.
func TestCloseWaitsForNoReader(t *testing.T) {
	t.Parallel()
	d := newMigrated(t, "wal")
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: d.Path})
	require.NoError(t, err)
	id := newFile(t, d)
	reading, err := d.DB.Query(`SELECT id FROM file`)
	require.NoError(t, err)
	defer reading.Close()
	require.True(t, reading.Next())
	require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
		_, err := db.Delete(context.Background(), tx, []string{id}, 0)
		return err
	}))
	db.Close()
	require.FileExists(t, d.Path+"-wal")
	require.Zero(t, d.Count(t, `SELECT count(*) FROM file`))
}
