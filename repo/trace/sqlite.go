package trace

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Querier runs statements on a file of SQLite.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const (
	// A statement is to take that long: without a write-ahead log the application waits
	// for readers.
	statementTarget    = 100 * time.Millisecond
	firstRows, maxRows = 64, 20_000
)

// tablesSQL lists the tables, and what each is. What a virtual table keeps in plain ones is
// found there; full-text and spatial modules keep nothing elsewhere.
const tablesSQL = `
SELECT l.name, l.type, l.wr, coalesce(lower(s.sql) GLOB '*using fts[345]*' OR lower(s.sql) GLOB '*using rtree*', 0)
  FROM pragma_table_list l LEFT JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table'
 WHERE l.schema = 'main' AND l.type IN ('table', 'shadow', 'virtual') ORDER BY l.name`

var errVirtual = errors.New("a virtual table, whose module may keep its rows elsewhere")

// SQLite searches every table of a file. Only keys and counts leave it.
func (s *Search) SQLite(ctx context.Context, store string, q Querier) error {
	type table struct {
		name, kind       string
		keyed, contained bool
	}
	var list []table
	var one table
	err := queryEach(ctx, q, tablesSQL, nil, []any{&one.name, &one.kind, &one.keyed, &one.contained}, func() { list = append(list, one) })
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.kind == "virtual" {
			if !t.contained {
				s.NoteGap(store, t.name, errVirtual)
			}
			continue
		}
		switch err := s.searchTable(ctx, q, store, t.name, !t.keyed); {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errTold):
			return err
		case err != nil:
			s.NoteGap(store, t.name, err)
		default:
			s.NoteSearched(store, t.name)
		}
	}
	return nil
}

// errTold marks a failure to tell what was found.
var errTold = errors.New("tell a place")

// searchTable searches a page after the other, by the number of its rows if they have one.
func (s *Search) searchTable(ctx context.Context, q Querier, store, name string, numbered bool) error {
	statement, columns, err := s.tableSQL(ctx, q, name, numbered)
	if err != nil || len(columns) == 0 {
		return err
	}
	if !numbered {
		return s.searchPage(ctx, q, store, name, columns, statement)
	}
	var last, end, seen int64
	limit := int64(firstRows)
	first := `SELECT coalesce(min(rowid) - 1, 0) FROM ` + quoteName(name)
	if err := queryEach(ctx, q, first, nil, []any{&last}, func() {}); err != nil {
		return err
	}
	pageSQL := `SELECT coalesce(max(rowid), 0), count(*) FROM (SELECT rowid FROM ` + quoteName(name) + ` WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)`
	for {
		var rows int64
		began := time.Now()
		if err := queryEach(ctx, q, pageSQL, []any{last, limit}, []any{&end, &rows}, func() {}); err != nil || rows == 0 {
			return err
		}
		if err := s.searchPage(ctx, q, store, name, columns, statement, last, end); err != nil {
			return err
		}
		last, seen = end, seen+rows
		s.Progress(store+" "+name, seen, 0)
		limit = nextLimit(limit, time.Since(began))
	}
}

// nextLimit is how many rows the next statement takes, judged by the last one.
func nextLimit(limit int64, took time.Duration) int64 {
	next := float64(limit) * float64(statementTarget) / float64(max(took, time.Millisecond))
	return min(max(int64(next), 1), 2*limit, maxRows)
}

// searchPage tells what it found when its statement has ended.
func (s *Search) searchPage(ctx context.Context, q Querier, store, table string, columns []string, statement string, args ...any) error {
	var found []Place
	var key string
	counts := make([]int64, len(columns))
	into := []any{&key}
	for i := range counts {
		into = append(into, &counts[i])
	}
	err := queryEach(ctx, q, statement, args, into, func() {
		for i, n := range counts {
			if n > 0 {
				found = append(found, Place{Store: store, Table: table, Row: key, Column: columns[i], Count: n})
			}
		}
	})
	if err != nil {
		return err
	}
	for _, place := range found {
		if err := s.add(place); err != nil {
			return fmt.Errorf("%w: %w", errTold, err)
		}
	}
	return nil
}

// tableSQL is the statement that counts in each column of the rows that have the text: in
// those between two numbers, or in all. A value that is in lower case already is looked
// at once for each sieve.
func (s *Search) tableSQL(ctx context.Context, q Querier, name string, numbered bool) (statement string, columns []string, err error) {
	var column string
	var position int
	keys := map[int]string{}
	err = queryEach(ctx, q, `SELECT name, pk FROM pragma_table_xinfo(?1) ORDER BY cid`, []any{name}, []any{&column, &position}, func() {
		columns = append(columns, column)
		if position > 0 {
			keys[position] = quoteName(column)
		}
	})
	inner, counts, wheres := []string{keySQL(keys, numbered) + " AS k"}, []string{"k"}, []string{}
	for i, c := range columns {
		inner = append(inner, fmt.Sprintf("CAST(lower(CAST(%s AS TEXT)) AS BLOB) AS x%d, CASE WHEN typeof(%[1]s) = 'blob' THEN %[1]s END AS b%[2]d", quoteName(c), i))
		counts, wheres = append(counts, s.countSQL(i)), append(wheres, s.sieveSQL(i))
	}
	from := quoteName(name)
	if numbered {
		from += " WHERE rowid > ?1 AND rowid <= ?2"
	}
	// The limit keeps each value from being computed once for each of its uses.
	return "SELECT " + strings.Join(counts, ", ") + " FROM (SELECT " + strings.Join(inner, ", ") + " FROM " + from +
		" LIMIT -1 OFFSET 0) WHERE " + strings.Join(wheres, " OR "), columns, err
}

// keySQL names a row by its primary key, as {a,b} if that has several columns, else by its
// number.
func keySQL(keys map[int]string, numbered bool) string {
	var parts []string
	for i := 1; i <= len(keys); i++ {
		parts = append(parts, fmt.Sprintf("coalesce(CASE typeof(%s) WHEN 'blob' THEN hex(%[1]s) ELSE CAST(%[1]s AS TEXT) END, '')", keys[i]))
	}
	switch {
	case len(parts) == 1:
		return parts[0]
	case len(parts) > 1:
		return "'{' || " + strings.Join(parts, " || ',' || ") + " || '}'"
	case numbered:
		return "CAST(rowid AS TEXT)"
	}
	return "''"
}

func (s *Search) sieveSQL(column int) string {
	var tests []string
	for _, text := range s.Sieve {
		tests = append(tests, fmt.Sprintf("instr(x%d, %s)", column, blobLiteral([]byte(text))))
	}
	for _, raw := range s.Raw {
		tests = append(tests, fmt.Sprintf("instr(b%d, %s)", column, blobLiteral(raw)))
	}
	return strings.Join(tests, " OR ")
}

// countSQL counts by how much shorter a value is without the text.
func (s *Search) countSQL(column int) string {
	var sums []string
	for _, form := range s.Forms {
		sums = append(sums, fmt.Sprintf("(length(x%d) - length(CAST(replace(CAST(x%[1]d AS TEXT), CAST(%s AS TEXT), '') AS BLOB))) / %d",
			column, blobLiteral([]byte(form)), len(form)))
	}
	for _, raw := range s.Raw {
		sums = append(sums, fmt.Sprintf("(instr(b%d, %s) > 0)", column, blobLiteral(raw)))
	}
	return "coalesce(" + strings.Join(sums, ", 0) + coalesce(") + ", 0)"
}

func blobLiteral(value []byte) string { return "x'" + hex.EncodeToString(value) + "'" }

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

var errUnlike = errors.New("a value has another type than wanted")

// queryEach runs a statement and calls each for every row, after scanning into dest. What
// the driver says of a value of another type quotes it.
func queryEach(ctx context.Context, q Querier, query string, args, dest []any, each func()) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if rows.Scan(dest...) != nil {
			return errUnlike
		}
		each()
	}
	return rows.Err()
}
