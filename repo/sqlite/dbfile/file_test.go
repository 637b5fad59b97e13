package dbfile

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver
)

// value is one text or blob, as it is stored.
type value struct {
	row    int64
	column int
	text   string
	blob   bool
}

// pagesOf are the pages of a whole file, the last of which SQLite fills up.
func pagesOf(content []byte) ReadPages {
	size := uint32(minPage)
	if len(content) > 18 {
		size = max(size, uint32(binary.BigEndian.Uint16(content[16:])))
		if content[16] == 0 && content[17] == 1 {
			size = 65536
		}
	}
	content = append(slices.Clone(content), make([]byte, (int(size)-len(content)%int(size))%int(size))...)
	return func(first, last uint32, yield func([]byte)) error {
		for number := int64(first); number <= int64(last) && number*int64(size) <= int64(len(content)); number++ {
			if number > 0 {
				yield(content[(number-1)*int64(size) : number*int64(size)])
			}
		}
		return nil
	}
}

// makeFile returns a database that SQLite made by statements, with so many bytes
// reserved at the end of each page.
func makeFile(t testing.TB, pageSize, reserved int, statements ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.db")
	execute(t, path, fmt.Sprintf(`PRAGMA page_size = %d`, pageSize), `PRAGMA user_version = 1`)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[20] = byte(reserved)
	binary.BigEndian.PutUint16(content[105:], uint16(pageSize-reserved)) // where its cells begin: it has none
	require.NoError(t, os.WriteFile(path, content, 0o600))
	execute(t, path, statements...)
	content, err = os.ReadFile(path)
	require.NoError(t, err)
	require.EqualValues(t, reserved, content[20])
	return content
}

func execute(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, query := range statements {
		_, err := db.Exec(query)
		require.NoError(t, err, query)
	}
}

// sqliteSays returns the texts and blobs of a table as SQLite reads them, unless it
// finds the file damaged.
func sqliteSays(t testing.TB, content []byte, table string) (root uint32, values []value, healthy bool) {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	defer db.Close()
	conn, err := db.Conn(context.Background())
	require.NoError(t, err)
	defer conn.Close()
	ctx := context.Background()
	err = conn.Raw(func(c any) error {
		return c.(interface{ Deserialize([]byte) error }).Deserialize(slices.Clone(content))
	})
	var ok string
	if err != nil || conn.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&ok) != nil || ok != "ok" ||
		conn.QueryRowContext(ctx, `SELECT rootpage FROM sqlite_schema WHERE name = ? AND type = 'table'`, table).Scan(&root) != nil {
		return 0, nil, false
	}
	columns, err := conn.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, table)
	require.NoError(t, err)
	defer columns.Close()
	var names []string
	for columns.Next() {
		var name string
		require.NoError(t, columns.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, columns.Err())
	for column, name := range names {
		rows, err := conn.QueryContext(ctx, fmt.Sprintf(`SELECT rowid, CAST(%[1]q AS BLOB), typeof(%[1]q) = 'blob' FROM %[2]s WHERE typeof(%[1]q) IN ('text', 'blob') AND length(CAST(%[1]q AS BLOB)) > 0`, name, table))
		if err != nil {
			return 0, nil, false
		}
		defer rows.Close()
		for rows.Next() {
			v := value{column: column}
			require.NoError(t, rows.Scan(&v.row, &v.text, &v.blob))
			values = append(values, v)
		}
		if rows.Err() != nil {
			return 0, nil, false
		}
	}
	sortValues(values)
	return root, values, true
}

func sortValues(values []value) {
	slices.SortFunc(values, func(a, b value) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.column, b.column)) })
}

// readTable returns the texts and blobs of a table, of which it reads no more than
// limit at once, and checks that their pieces overlap.
func readTable(t testing.TB, p *Pager, root uint32, limit, overlap int) (values []value, err error) {
	t.Helper()
	above, leaves, err := p.Tree(context.Background(), root)
	if err != nil {
		return nil, err
	}
	require.Equal(t, root, above[0])
	seen := map[uint32]bool{}
	for _, page := range slices.Concat(above[1:], leaves) {
		if seen[page] {
			return nil, corruptPage(page, "it was met twice")
		}
		seen[page] = true
	}
	for _, leaf := range leaves {
		err := p.Rows(leaf, func(uint32) {}, func(r *Row) error {
			whole := map[int][]byte{}
			blobs := map[int]bool{}
			err := r.EachText(overlap, func(int) int { return limit }, func(column int, text []byte, blob bool) {
				tail := min(overlap, len(whole[column]))
				if len(text) > limit+tail || !bytes.HasPrefix(text, whole[column][len(whole[column])-tail:]) {
					t.Fatalf("a piece of %d bytes does not go on where the last one ended", len(text))
				}
				whole[column], blobs[column] = append(whole[column], text[tail:]...), blob
			})
			for column, text := range whole {
				values = append(values, value{r.ID, column, string(text), blobs[column]})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	sortValues(values)
	return values, nil
}

// rowsOfAllSizes are statements that fill table t with rows around the sizes at which
// a record goes on in another page, and with values of all types.
func rowsOfAllSizes(pageSize int) []string {
	statements := []string{`CREATE TABLE t (a, b, c)`}
	for _, size := range []int{0, 1, pageSize/9 - 3, pageSize / 4, pageSize - 40, pageSize - 38, pageSize, 2*pageSize + 1, 5 * pageSize} {
		statements = append(statements, fmt.Sprintf(`INSERT INTO t VALUES (%d, '%s', zeroblob(%d))`, size, strings.Repeat("x", size), size/2))
	}
	return append(statements, `INSERT INTO t (rowid, a, b, c) VALUES (-5, 1.5, NULL, 'x'), (1 << 40, -1, 'y', 1 << 50), (9223372036854775807, 'last', X'00ff', 0)`)
}

// TestPiecesMakeTheWhole: what is read of a healthy file equals what SQLite says, for
// pages and pieces of any size.
func TestPiecesMakeTheWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pageSize, reserved int }{{512, 0}, {512, 32}, {4096, 12}, {65536, 0}} {
		content := makeFile(t, c.pageSize, c.reserved, append(rowsOfAllSizes(c.pageSize),
			`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, hex(randomblob(i % 50)), NULL FROM n`)...)
		root, want, healthy := sqliteSays(t, content, "t")
		require.True(t, healthy)
		p, err := NewPager(pagesOf(content))
		require.NoError(t, err)
		for _, limit := range []int{c.pageSize / 512, 100, 1 << 20} {
			for _, overlap := range []int{0, 1, 36} {
				got, err := readTable(t, p, root, limit, overlap)
				require.NoError(t, err)
				require.True(t, slices.Equal(want, got))
			}
		}
	}
}

// TestALongTextIsNotKept: no more memory than for a piece is kept after it.
func TestALongTextIsNotKept(t *testing.T) {
	t.Parallel()
	content := makeFile(t, 4096, 0, `CREATE TABLE t (a)`, `INSERT INTO t VALUES (hex(zeroblob(5000000)))`, `INSERT INTO t VALUES ('x')`)
	root, want, healthy := sqliteSays(t, content, "t")
	require.True(t, healthy)
	p, err := NewPager(pagesOf(content))
	require.NoError(t, err)
	for _, limit := range []int{1 << 20, 1 << 30} {
		got, err := readTable(t, p, root, limit, 1<<10)
		require.NoError(t, err)
		require.True(t, slices.Equal(want, got))
		require.LessOrEqual(t, cap(p.text), maxKept)
	}
}
