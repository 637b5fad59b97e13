package vacuum_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"pruned/cmd/pruned/vacuum"
)

// journals are those of webui.db and of Chroma's file.
var journals = []string{"WAL", "DELETE"}

const rows = 4000

// newFile makes a file of about 4 MB from which three rows of four were deleted.
func newFile(t *testing.T, journal string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "it's a.db")
	inFile(t, path, func(db *sql.DB) {
		for _, query := range []string{
			`PRAGMA journal_mode = ` + journal,
			`CREATE TABLE note (id TEXT PRIMARY KEY, v TEXT)`,
			`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ` + fmt.Sprint(rows) + `)
			 INSERT INTO note SELECT hex(randomblob(16)), hex(randomblob(500)) FROM n`,
			`DELETE FROM note WHERE rowid % 4 <> 0`,
		} {
			_, err := db.ExecContext(t.Context(), query)
			require.NoError(t, err)
		}
	})
	return path
}

func inFile(t *testing.T, path string, fn func(*sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	fn(db)
	require.NoError(t, db.Close())
}

// content is every row, with its number.
func content(t *testing.T, path string) (text string) {
	t.Helper()
	inFile(t, path, func(db *sql.DB) {
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT group_concat(rowid || id || v, '|') FROM (SELECT rowid, * FROM note ORDER BY id)`).Scan(&text))
		var verdict string
		require.NoError(t, db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict))
		require.Equal(t, "ok", verdict)
	})
	return text
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}

// application is another process that has a file open, as Open WebUI has it.
type application struct {
	pid int
	ask func(query string) string
}

const applicationScript = `
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    try:
        print(c.execute(line).fetchone(), flush=True)
    except Exception as e:
        print(e, flush=True)
`

func startApplication(t *testing.T, path string) *application {
	t.Helper()
	process := exec.CommandContext(context.WithoutCancel(t.Context()), "python3", "-c", applicationScript, path)
	in, err := process.StdinPipe()
	require.NoError(t, err)
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	answers := bufio.NewReader(out)
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, process.Wait())
	})
	app := &application{process.Process.Pid, func(query string) string {
		t.Helper()
		_, err := fmt.Fprintln(in, query)
		require.NoError(t, err)
		answer, err := answers.ReadString('\n')
		require.NoError(t, err)
		return strings.TrimSpace(answer)
	}}
	require.Equal(t, fmt.Sprintf("(%d,)", rows/4), app.ask(`SELECT count(*) FROM note`))
	return app
}

func TestFileShrinks(t *testing.T) {
	t.Parallel()
	for _, journal := range journals {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			path := newFile(t, journal)
			before, was := content(t, path), size(t, path)
			f, err := vacuum.OpenFile(t.Context(), path, false)
			require.NoError(t, err)
			defer f.Close()
			m, err := f.Measure(t.Context())
			require.NoError(t, err)
			require.Equal(t, was, m.Bytes)
			require.Positive(t, m.Inside)
			require.Equal(t, was, m.Inside+m.Used)
			kept, err := f.Vacuum(t.Context())
			require.NoError(t, err)
			require.False(t, kept)
			after, err := f.Measure(t.Context())
			require.NoError(t, err)
			f.Close()
			require.Equal(t, after.Bytes, size(t, path))
			require.Less(t, after.Bytes, was/3)
			require.LessOrEqual(t, after.Bytes, m.Used, "each copy is that large: see Need")
			require.Zero(t, after.Inside)
			require.Equal(t, before, content(t, path))
		})
	}
}

// Whoever has it open is found, by its lock or by name, and nobody is where it has ended.
func TestOthersAreFound(t *testing.T) {
	t.Parallel()
	for _, journal := range journals {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			path := newFile(t, journal)
			require.Empty(t, vacuum.FindHolders(path))
			t.Run("beside it", func(t *testing.T) {
				app := startApplication(t, path)
				if journal == "WAL" {
					_, err := vacuum.OpenFile(t.Context(), path, false)
					require.ErrorIs(t, err, vacuum.ErrInUse)
				}
				if runtime.GOOS == "linux" {
					require.Equal(t, []string{fmt.Sprintf("python3 (pid %d)", app.pid)}, vacuum.FindHolders(path))
				}
				require.Equal(t, "(0,)", app.ask(`SELECT count(*) FROM note WHERE id = ''`), "the application has noticed nothing")
			})
			require.Empty(t, vacuum.FindHolders(path))
			f, err := vacuum.OpenFile(t.Context(), path, false)
			require.NoError(t, err)
			f.Close()
		})
	}
}

// Beside the application the file shrinks too. What is in the log stays as long as a
// transaction reads it.
func TestLive(t *testing.T) {
	t.Parallel()
	for _, journal := range journals {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			path := newFile(t, journal)
			before, was := content(t, path), size(t, path)
			app := startApplication(t, path)
			f, err := vacuum.OpenFile(t.Context(), path, true)
			require.NoError(t, err)
			defer f.Close()
			if journal == "WAL" {
				app.ask(`BEGIN`)
				app.ask(`SELECT count(*) FROM note`)
			}
			kept, err := f.Vacuum(t.Context())
			require.NoError(t, err)
			require.Equal(t, journal == "WAL", kept)
			if journal == "WAL" {
				require.Equal(t, was, size(t, path))
				app.ask(`COMMIT`)
				kept, err = f.Vacuum(t.Context())
				require.NoError(t, err)
				require.False(t, kept)
				require.Zero(t, size(t, path+"-wal"))
			}
			require.Less(t, size(t, path), was/3)
			require.Equal(t, "None", app.ask(`INSERT INTO note VALUES ('zz', 'x')`))
			require.Equal(t, "None", app.ask(`DELETE FROM note WHERE id = 'zz'`))
			require.Equal(t, "('ok',)", app.ask(`PRAGMA integrity_check`))
			f.Close()
			require.Equal(t, before, content(t, path))
		})
	}
}

// The measurement leaves nothing behind, and grows with the file.
func TestExpectedDurationIsMeasured(t *testing.T) {
	t.Parallel()
	path := newFile(t, "WAL")
	f, err := vacuum.OpenFile(t.Context(), path, true)
	require.NoError(t, err)
	defer f.Close()
	m, err := f.Measure(t.Context())
	require.NoError(t, err)
	expected, err := f.ExpectDuration(t.Context(), m)
	require.NoError(t, err)
	require.Positive(t, expected)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".pruned-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// What is interrupted leaves the file as it was.
func TestInterruptedVacuum(t *testing.T) {
	t.Parallel()
	path := newFile(t, "WAL")
	before, was := content(t, path), size(t, path)
	f, err := vacuum.OpenFile(t.Context(), path, false)
	require.NoError(t, err)
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Vacuum(ctx)
	require.ErrorIs(t, err, context.Canceled)
	f.Close()
	require.Equal(t, was, size(t, path))
	require.Equal(t, before, content(t, path))
}

// A full-text index as Chroma makes it keeps the words of deleted texts no longer, and finds
// those that are there; one whose tokenizer nobody has here keeps no file from being vacuumed.
func TestVacuumMergesTextIndexes(t *testing.T) {
	t.Parallel()
	path := newFile(t, "WAL")
	indexSize := func() (bytes int64) {
		inFile(t, path, func(db *sql.DB) {
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT sum(length(block)) FROM words_data`).Scan(&bytes))
		})
		return bytes
	}
	inFile(t, path, func(db *sql.DB) {
		for _, query := range []string{
			`CREATE VIRTUAL TABLE words USING fts5(string_value, tokenize='trigram')`,
			`INSERT INTO words (rowid, string_value) SELECT rowid, v FROM note`,
			`DELETE FROM words WHERE rowid % 100 <> 0`,
		} {
			_, err := db.ExecContext(t.Context(), query)
			require.NoError(t, err)
		}
	})
	before := indexSize()
	inFile(t, path, func(db *sql.DB) {
		_, err := db.ExecContext(t.Context(), `CREATE VIRTUAL TABLE "other's" USING fts5(v); PRAGMA writable_schema = 1;
			UPDATE sqlite_schema SET sql = replace(sql, 'fts5(v)', 'fts5(v, tokenize=''nobodys'')')`)
		require.NoError(t, err)
	})
	f, err := vacuum.OpenFile(t.Context(), path, false)
	require.NoError(t, err)
	_, err = f.Vacuum(t.Context())
	f.Close()
	require.NoError(t, err)
	require.Less(t, indexSize(), before/10)
	inFile(t, path, func(db *sql.DB) {
		var found int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM words WHERE string_value MATCH (SELECT substr(v, 1, 20) FROM note WHERE rowid = 100)`).Scan(&found))
		require.Equal(t, 1, found)
	})
}
