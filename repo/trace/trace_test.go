package trace_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"pruned/repo/trace"
)

const id = "0B5E9C1E-7F4B-4D0A-9A54-3C2F6D8E1A7B"

func TestText(t *testing.T) {
	t.Parallel()
	text, err := trace.NewText(id)
	require.NoError(t, err)
	bare := strings.ReplaceAll(id, "-", "")
	same, err := trace.NewText(bare)
	require.NoError(t, err)
	require.Equal(t, text.Forms, same.Forms)
	for value, want := range map[string]int64{
		id: 1, strings.ToLower(id) + id: 2, bare: 1, strings.ReplaceAll(id, "-", "_"): 1,
		strings.ReplaceAll(id, "-", `\u002D`): 1, strings.ReplaceAll(id, "-", "%2D"): 1,
		strings.ReplaceAll(id, "-", "."): 0, id[1:]: 0,
		string(text.Raw[0]): 1, strings.Join(strings.Split(strings.ToLower(id), ""), "\x00") + "\x00": 1,
	} {
		require.Equal(t, want, text.Count([]byte(value)), "%q", value)
	}
	odd, err := trace.NewText(`Böse "id" a/b`)
	require.NoError(t, err)
	for _, value := range []string{`BöSE "id" a/b`, `b\u00f6se \"ID\" a/b`, `B\u00F6se \"id\" a/b`, `B%C3%B6se%20%22id%22%20a%2Fb`, `b%c3%b6se+%22id%22+a%2Fb`} {
		require.EqualValues(t, 1, odd.Count([]byte(value)), value)
	}
	for _, bad := range []string{"", "1234567", "äöüäöü", "12345678\n", "12345678\xff", strings.Repeat("x", 1025)} {
		_, err := trace.NewText(bad)
		require.Error(t, err, "%q", bad)
	}
}

// Every way to write it is found in every kind of column and of table, also far behind
// the first page of rows.
func TestSQLite(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	defer db.Close()
	text, err := trace.NewText(id)
	require.NoError(t, err)
	exec := func(query string, args ...any) {
		_, err := db.Exec(query, args...)
		require.NoError(t, err, query)
	}
	exec(`CREATE TABLE many (k TEXT PRIMARY KEY, "a ""b" TEXT, c)`)
	exec(`INSERT INTO many WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT 'k' || i, 'x', i FROM n`)
	exec(`UPDATE many SET "a ""b" = ? WHERE k = 'k4999'`, "x"+id+id)
	exec(`UPDATE many SET c = ? WHERE k = 'k1'`, append([]byte("\x00\xff"), text.Raw[0]...))
	exec(`INSERT INTO many (rowid, k, c) VALUES (-5, 'minus', ?)`, "a\x00b"+strings.ToLower(id))
	exec(`CREATE TABLE keyed (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID`)
	exec(`INSERT INTO keyed VALUES (1, ?)`, []byte(strings.ReplaceAll(id, "-", "_")))
	exec(`CREATE VIRTUAL TABLE words USING fts5 (w)`)
	exec(`INSERT INTO words VALUES (?)`, id)
	var found []string
	s := &trace.Search{Text: text, Progress: func(string, int64, int64) {}, Each: func(p trace.Place) error {
		found = append(found, fmt.Sprintf("%s %s %s %d", p.Table, p.Row, p.Column, p.Count))
		return nil
	}}
	require.NoError(t, s.SQLite(t.Context(), "x", db))
	require.ElementsMatch(t, []string{
		`many k4999 a "b 2`, "many k1 c 1", "many minus c 1", "keyed {1," + strings.ToUpper(fmt.Sprintf("%x", strings.ReplaceAll(id, "-", "_"))) + "} b 1",
		"words_content 1 c0 1",
	}, found)
	require.EqualValues(t, len(found), s.Found)
	require.Empty(t, s.Gaps)

	exec(`CREATE VIRTUAL TABLE pages USING dbstat`)
	s.Each = func(trace.Place) error { return sql.ErrTxDone }
	require.ErrorIs(t, s.SQLite(t.Context(), "x", db), sql.ErrTxDone)
}
