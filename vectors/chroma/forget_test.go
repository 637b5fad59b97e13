package chroma_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

// countWord counts a word in the bytes of the files below a folder.
func countWord(t testing.TB, dir, word string) (n int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		n += bytes.Count(content, []byte(word))
		return err
	}))
	return n
}

// What was deleted of a file's own collection is in no byte of what Chroma keeps, although
// Chroma goes on having it open. A text of more than a page lies in pages of its own. Of
// what is shorter a little may stay, where SQLite moved a row before it deleted it. What
// Chroma left in free places by itself is cleared before.
func TestDeletedTextIsForgotten(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"delete", "wal"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			b := runBeside(t)
			going, other := uuid.NewString(), uuid.NewString()
			b.insert(t, vectorstest.MakeChunks(300, vectors.FileCollection(going), going)...)
			b.insert(t, vectorstest.MakeChunks(40, vectors.FileCollection(other), other)...)
			long, short := uuid.NewString(), uuid.NewString()
			db := b.sql(t)
			plantWords(t, db, journal, strings.Repeat("filler ", 1000)+strings.Repeat(" "+long, 20), short)
			require.Greater(t, countWord(t, b.dir, long), 5000)
			require.GreaterOrEqual(t, countWord(t, b.dir, short), 300)

			store, err := chroma.Open(t.Context(), chroma.EmbeddedOptions{Dir: b.dir})
			require.NoError(t, err)
			_, err = store.Remove(t.Context(), nil, []string{going})
			require.NoError(t, err)
			store.Close()
			require.Zero(t, countWord(t, b.dir, long))
			require.Less(t, countWord(t, b.dir, short), 30)
			require.Equal(t, "ok", value[string](t, db, `PRAGMA integrity_check`))
			require.Len(t, b.query(t, vectors.FileCollection(other), 3, 10), 10)
		})
	}
}

// plantWords puts texts into every place where the first 300 chunks have texts: metadata,
// its index, and the full text.
func plantWords(t testing.TB, db *sql.DB, journal, long, short string) {
	t.Helper()
	require.Equal(t, journal, value[string](t, db, `PRAGMA journal_mode = `+journal))
	for statement, text := range map[string]string{
		`UPDATE embedding_metadata SET string_value = ? WHERE key = 'chroma:document' AND id <= 300`:                    long,
		`INSERT INTO embedding_metadata (id, key, string_value) SELECT id, 'author', ? FROM embeddings WHERE id <= 300`: short,
		`UPDATE embedding_fulltext_search SET string_value = ? WHERE rowid <= 300`:                                      long,
	} {
		_, err := db.Exec(statement, text)
		require.NoError(t, err, statement)
	}
	_, err := db.Exec(`VACUUM; PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(t, err)
}
