package dbfile

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func newLog(t *testing.T) (path string, app *sql.DB) {
	t.Helper()
	d := testenv.NewSQLite(t)
	d.DB.SetMaxOpenConns(1)
	commit(t, d.DB, 1)
	return d.Path, d.DB
}

// commit writes as many rows in one transaction.
func commit(t *testing.T, app *sql.DB, rows int) {
	t.Helper()
	tx, err := app.Begin()
	require.NoError(t, err)
	for range rows {
		_, err := tx.Exec(`INSERT INTO config (key, value) VALUES (?, zeroblob(3000))`, uuid.NewString())
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
}

// follow reads a log on from a position.
func follow(t *testing.T, path string, from Position) (to Position, pages int, goesOn bool) {
	t.Helper()
	to, goesOn, err := ReadLog(path, from, func(of []uint32) { pages += len(of) })
	require.NoError(t, err)
	return to, pages, goesOn
}

func TestLogIsReadOn(t *testing.T) {
	t.Parallel()
	path, app := newLog(t)
	first, pages, goesOn := follow(t, path, Position{})
	require.False(t, goesOn, "from nowhere")
	require.Positive(t, pages)
	require.EqualValues(t, pages, first.frames)

	same, pages, goesOn := follow(t, path, first)
	require.True(t, goesOn)
	require.Zero(t, pages)
	require.Equal(t, first, same)

	commit(t, app, 20)
	next, pages, goesOn := follow(t, path, first)
	require.True(t, goesOn)
	require.GreaterOrEqual(t, pages, 20)
	require.Equal(t, first.frames+int64(pages), next.frames)

	_, err := app.Exec(`PRAGMA wal_checkpoint(RESTART)`)
	require.NoError(t, err)
	_, _, goesOn = follow(t, path, next)
	require.True(t, goesOn, "nobody has written since")
	commit(t, app, 1)
	_, _, goesOn = follow(t, path, next)
	require.False(t, goesOn, "it was begun anew")

	_, err = app.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(t, err)
	empty, pages, goesOn := follow(t, path, next)
	require.False(t, goesOn)
	require.Zero(t, pages)
	require.Equal(t, Position{}, empty)
}

// TestUnfinishedTransactionsAreNotRead: nor what is written at this moment.
func TestUnfinishedTransactionsAreNotRead(t *testing.T) {
	t.Parallel()
	path, app := newLog(t)
	first, _, _ := follow(t, path, Position{})
	commit(t, app, 20)
	content, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	whole, _, _ := follow(t, path, first)
	part := filepath.Join(t.TempDir(), "part")
	for size := logHeader + first.frames*4120; size < logHeader+whole.frames*4120; size += 1111 {
		require.NoError(t, os.WriteFile(part+"-wal", content[:size], 0o644))
		to, pages, goesOn := follow(t, part, first)
		require.True(t, goesOn)
		require.Zero(t, pages)
		require.Equal(t, first, to)
	}
	content[len(content)-1] ^= 1
	require.NoError(t, os.WriteFile(part+"-wal", content, 0o644))
	to, _, _ := follow(t, part, first)
	require.Equal(t, first, to)
}

// TestATransactionThatNobodyWasToldOfIsReadAgain: its process was killed before it
// told the others, the next one writes over it, and writes less, or as much.
func TestATransactionThatNobodyWasToldOfIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 20} {
		t.Run(fmt.Sprintf("%d rows", rows), func(t *testing.T) {
			t.Parallel()
			readOver(t, 20, rows)
		})
	}
}

// readOver reads a log in which a transaction with so many rows is written over by another.
func readOver(t *testing.T, unheardRows, rows int) {
	t.Helper()
	path, app := newLog(t)
	other := filepath.Join(t.TempDir(), "webui.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(other+suffix, content, 0o644))
	}
	before, _, _ := follow(t, path, Position{})
	commit(t, app, unheardRows)
	unheard, _, goesOn := follow(t, path, before)
	require.True(t, goesOn)

	again, err := testenv.OpenSQLite(other, "wal")
	require.NoError(t, err)
	defer again.Close()
	commit(t, again, rows)
	over, err := os.ReadFile(other + "-wal")
	require.NoError(t, err)
	content, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	heard, _, goesOn := follow(t, other, before)
	require.True(t, goesOn, "a log with the same beginning")
	require.LessOrEqual(t, heard.frames, unheard.frames)
	mixed := filepath.Join(t.TempDir(), "mixed")
	at := logHeader + int(heard.frames)*4120
	require.NoError(t, os.WriteFile(mixed+"-wal", append(over[:at:at], content[at:]...), 0o644))

	for _, from := range []Position{unheard, before} {
		to, pages, goesOn := follow(t, mixed, from)
		require.True(t, goesOn)
		require.EqualValues(t, heard.frames-before.frames, pages)
		require.Equal(t, heard, to)
	}

	// While it is written over.
	require.NoError(t, os.WriteFile(mixed+"-wal", append(over[:at-4120:at-4120], content[at-4120:]...), 0o644))
	to, pages, goesOn := follow(t, mixed, unheard)
	require.True(t, goesOn)
	require.Zero(t, pages)
	require.Equal(t, before.frames, to.frames)
	require.NoError(t, os.WriteFile(mixed+"-wal", over, 0o644))
	to, pages, _ = follow(t, mixed, to)
	require.EqualValues(t, heard.frames-before.frames, pages)
	require.Equal(t, heard, to)
}

// TestLastTransactionIsNotReadAgain: it may be a whole VACUUM, and whoever asks for what is
// new holds the write lock.
func TestLastTransactionIsNotReadAgain(t *testing.T) {
	t.Parallel()
	path, app := newLog(t)
	commit(t, app, 200)
	at, pages, _ := follow(t, path, Position{})
	require.Greater(t, pages, 200)
	file, err := os.Open(path + "-wal")
	require.NoError(t, err)
	defer file.Close()
	l, err := openLog(file)
	require.NoError(t, err)
	counted := &countingReader{ReaderAt: file}
	l.file = counted
	same, err := l.holds(at)
	require.NoError(t, err)
	require.True(t, same)
	require.Equal(t, (at.frames-at.last)*frameHeader, counted.read)
	to, pages, goesOn := follow(t, path, at)
	require.True(t, goesOn)
	require.Zero(t, pages)
	require.Equal(t, at, to)
}

type countingReader struct {
	io.ReaderAt
	read int64
}

func (r *countingReader) ReadAt(b []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, at)
	r.read += int64(n)
	return n, err
}

// TestLogMayBecomeShorter: somebody empties it while it is read, or puts back an older one.
func TestLogMayBecomeShorter(t *testing.T) {
	t.Parallel()
	path, app := newLog(t)
	commit(t, app, 3)
	at, _, _ := follow(t, path, Position{})
	for _, size := range []int64{logHeader, logHeader + 100, logHeader + (at.last-1)*4120 + 10, logHeader + at.last*4120, logHeader + (at.frames-1)*4120 + 10} {
		content, err := os.ReadFile(path + "-wal")
		require.NoError(t, err)
		shorter := filepath.Join(t.TempDir(), "webui.db")
		require.NoError(t, os.WriteFile(shorter+"-wal", content[:size], 0o644))
		to, _, goesOn := follow(t, shorter, at)
		require.LessOrEqual(t, to.frames, at.last)
		require.False(t, goesOn, "%d bytes", size)
	}
}
