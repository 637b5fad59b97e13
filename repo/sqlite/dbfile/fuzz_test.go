package dbfile

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxFuzzed bounds inputs: what is proved of a small file holds for a large one.
const maxFuzzed = 64 << 10

// FuzzPage: whatever stands in a file, reading it ends, needs memory in proportion to
// the file, and, where SQLite finds it healthy, tells what SQLite tells.
func FuzzPage(f *testing.F) {
	f.Add(makeFile(f, 512, 0, rowsOfAllSizes(512)...))
	f.Add(makeFile(f, 1024, 12, rowsOfAllSizes(300)...))
	f.Add(makeFile(f, 512, 0, `CREATE TABLE t (a)`, // three levels
		`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO t SELECT printf('%d %.400c', i, 'x') FROM n`))
	f.Add(makeFile(f, 512, 0, `CREATE TABLE t (a)`, `INSERT INTO t VALUES (hex(zeroblob(2000)))`, `DELETE FROM t`))
	f.Add(loopedFile(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > maxFuzzed {
			return
		}
		for root := range uint32(min(len(content)/minPage+2, 40)) {
			readAnything(t, content, root)
		}
		root, want, healthy := sqliteSays(t, content, "t")
		if !healthy {
			return
		}
		p, err := NewPager(pagesOf(content))
		require.NoError(t, err)
		got, err := readTable(t, p, root, 100, 36)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// readAnything reads a page as if it were the root of a table.
func readAnything(t *testing.T, content []byte, root uint32) {
	p, err := NewPager(pagesOf(content))
	if err != nil {
		return
	}
	pages := len(content)/minPage + 1
	above, met, err := p.Tree(context.Background(), root)
	if len(above)+len(met) > len(content) {
		t.Fatalf("%d leaves below %d pages of %d: %v", len(met), len(above), pages, err)
	}
	leaves := map[uint32]bool{}
	for _, leaf := range met {
		leaves[leaf] = true
	}
	for leaf := range leaves {
		rows, before := 0, p.PagesRead()
		_ = p.Rows(leaf, func(page uint32) {
			if int(page) > pages {
				t.Fatalf("page %d is owned, of %d", page, pages)
			}
		}, func(r *Row) error {
			rows++
			return r.EachText(36, func(int) int { return 100 }, func(_ int, text []byte, _ bool) {
				if len(text) > 136 {
					t.Fatalf("%d bytes at once", len(text))
				}
			})
		})
		if read := p.PagesRead() - before; read > 2+rows*(3*pages+2) {
			t.Fatalf("%d pages of %d were read for %d rows", read, pages, rows)
		}
		if cap(p.text) > 8*len(content)+maxFuzzed || cap(p.types) > 8*len(content)+maxFuzzed {
			t.Fatalf("%d and %d bytes are kept", cap(p.text), cap(p.types))
		}
	}
}

// loopedFile is a damaged one, whose pages lead back to themselves: the second says it
// is 20 levels deep, the last one of a record that it goes on there.
func loopedFile(t testing.TB) []byte {
	content := makeFile(t, 512, 0, `CREATE TABLE t (a)`, `INSERT INTO t VALUES (hex(zeroblob(20000)))`)
	for _, page := range []int{10, 12, 14} {
		binary.BigEndian.PutUint32(content[512*page:], uint32(page-2))
	}
	return content
}

// FuzzRecord: what is read of the rows that SQLite stores equals what it says, for
// values of all types and sizes, pages and pieces of all sizes.
func FuzzRecord(f *testing.F) {
	f.Add("text", []byte("blob"), int64(1), 1.5, uint16(0), uint8(0), uint16(100), uint8(36))
	f.Add("\x00\xff", []byte(nil), int64(-1<<63), 0.0, uint16(443), uint8(32), uint16(1), uint8(0))
	f.Add("ä", []byte("0123456789abcdef"), int64(1<<40), 1e300, uint16(5000), uint8(12), uint16(4096), uint8(255))
	f.Fuzz(func(t *testing.T, text string, blob []byte, number int64, float float64, fill uint16, reserved uint8, limit uint16, overlap uint8) {
		content := makeFile(t, 512, int(reserved%33), `CREATE TABLE t (a, b, c, d, e, f)`,
			fmt.Sprintf(`INSERT INTO t (rowid, a, b, c, d, e, f) VALUES (%d, CAST(X'%x' AS TEXT), %d, hex(zeroblob(%d)), X'%x', %g, CAST(X'%[5]x' AS TEXT))`,
				max(number, -1<<62), text, number, fill, blob, float))
		root, want, healthy := sqliteSays(t, content, "t")
		require.True(t, healthy)
		p, err := NewPager(pagesOf(content))
		require.NoError(t, err)
		got, err := readTable(t, p, root, 1+int(limit), int(overlap))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// FuzzLog: whatever stands in a log, its frames are those that SQLite would read, and
// every page that they change is told.
func FuzzLog(f *testing.F) {
	path := filepath.Join(f.TempDir(), "file.db")
	execute(f, path, `PRAGMA page_size = 512`, `PRAGMA journal_mode = wal`, `CREATE TABLE t (a)`)
	database, err := os.ReadFile(path)
	require.NoError(f, err)
	db, err := sql.Open("sqlite", path)
	require.NoError(f, err)
	f.Cleanup(func() { _ = db.Close() })
	for _, query := range []string{
		`INSERT INTO t VALUES ('x')`, `INSERT INTO t VALUES (hex(zeroblob(2000)))`, `UPDATE t SET a = 'y'`,
		`PRAGMA wal_checkpoint(RESTART)`, `INSERT INTO t VALUES ('z')`, `DELETE FROM t`,
	} {
		_, err := db.Exec(query)
		require.NoError(f, err)
		content, err := os.ReadFile(path + "-wal")
		require.NoError(f, err)
		f.Add(content, false)
		f.Add(content, true)
	}
	f.Fuzz(func(t *testing.T, content []byte, sum bool) {
		if len(content) > maxFuzzed {
			return
		}
		content = slices.Clone(content)
		if sum {
			sumUp(content)
		}
		path := filepath.Join(t.TempDir(), "file.db")
		require.NoError(t, os.WriteFile(path, database, 0o600))
		require.NoError(t, os.WriteFile(path+"-wal", content, 0o600))
		changed := map[uint32]bool{}
		n := 0
		to, goesOn, err := ReadLog(path, Position{}, func(pages []uint32) {
			for _, page := range pages {
				changed[page] = true
			}
			n += len(pages)
		})
		require.NoError(t, err)
		require.False(t, goesOn)
		require.EqualValues(t, to.Frames(), n)
		require.LessOrEqual(t, n*(frameHeader+minPage), len(content))
		again, goesOn, err := ReadLog(path, to, func(pages []uint32) { t.Errorf("pages %d are told of twice", pages) })
		require.NoError(t, err)
		require.Equal(t, to.Known(), goesOn)
		require.Equal(t, to, again)
		frames, pages, ok := sqliteReads(t, path) // which removes the log in the end
		if !ok {
			return
		}
		require.Equal(t, frames, to.Frames())
		for i, page := range pages {
			was := make([]byte, minPage) // as SQLite reads one that was never written
			copy(was, database[min(minPage*i, len(database)):])
			if string(was) != page {
				require.True(t, changed[uint32(i+1)], "page %d", i+1)
			}
		}
	})
}

// sumUp makes the sums of a log right, so that the rest of it is looked at.
func sumUp(content []byte) {
	if len(content) < logHeader {
		return
	}
	put := func(at int, s checksum) {
		binary.BigEndian.PutUint32(content[at:], s[0])
		binary.BigEndian.PutUint32(content[at+4:], s[1])
	}
	l := &log{order: binary.LittleEndian}
	if content[3]&1 == 1 {
		l.order = binary.BigEndian
	}
	sum := l.extendSum(checksum{}, content[:24])
	put(24, sum)
	for at := logHeader; at+frameHeader+512 <= len(content); at += frameHeader + 512 {
		copy(content[at+8:], content[16:24])
		sum = l.extendSum(l.extendSum(sum, content[at:at+8]), content[at+frameHeader:at+frameHeader+512])
		put(at+16, sum)
	}
}

// sqliteReads returns how many frames of its log SQLite reads, and the pages that it
// sees then.
func sqliteReads(t *testing.T, path string) (frames int64, pages []string, ok bool) {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := db.Query(`SELECT data FROM sqlite_dbpage`)
	if err != nil {
		return 0, nil, false
	}
	defer rows.Close()
	for rows.Next() {
		var page string
		require.NoError(t, rows.Scan(&page))
		pages = append(pages, page)
	}
	var busy, written int64
	if rows.Err() != nil || db.QueryRow(`PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &frames, &written) != nil || frames < 0 {
		return 0, nil, false
	}
	return frames, pages, true
}
