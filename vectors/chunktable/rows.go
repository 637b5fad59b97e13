package chunktable

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"

	"pruned/vectors"
)

// row is a chunk, as it lies there.
type row struct {
	id, collection string
	file, maker    string // of Open WebUI's own chunks, where they were asked for
}

// condition narrows down which rows come; what does not fit may come as well. Of those
// lists that are given each holds.
type condition struct {
	collections []string
	ids         []string
	files       []string // whose chunks, in any collection but files' own
	metadata    bool     // is read
	limit       int      // 0: all
}

const (
	fileKey  = "file_id"
	makerKey = "created_by"
)

// listRows lists rows in any order, and compares nothing. The sequence ends with its first
// error, and other questions can be asked meanwhile.
func (s *Store) listRows(ctx context.Context, c condition) iter.Seq2[row, error] {
	d := s.dialect
	q := statement{from: "id, " + d.Bytes("collection_name"), limit: c.limit}
	columns := 2
	if c.metadata {
		named := " CASE WHEN " + d.Has(vectors.NameKey) + " THEN "
		q.from += "," + named + d.Member(fileKey) + " END," + d.Member(makerKey)
		columns = 4
	}
	q.isOneOf("collection_name", c.collections)
	q.isOneOf("id", c.ids)
	if len(c.files) > 0 {
		q.where = append(q.where, "collection_name NOT LIKE 'file-%'")
		q.isOneOf(d.Member(fileKey), c.files)
	}
	return func(yield func(row, error) bool) {
		for values, err := range s.query(ctx, "list chunks", q, columns) {
			r := row{}
			if err == nil {
				r.id, r.collection = values[0].String, values[1].String
			}
			if err == nil && c.metadata {
				r.file, r.maker = values[2].String, values[3].String
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// statement is a SELECT on the table.
type statement struct {
	from, tail string
	where      []string // all of them hold
	args       []any
	limit      int
}

// isOneOf adds a condition, for as many values as fit; no values are none.
func (q *statement) isOneOf(expression string, values []string) {
	if len(values) == 0 {
		return
	}
	q.where = append(q.where, expression+" IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")+")")
	for _, one := range values {
		q.args = append(q.args, one)
	}
}

// text writes the statement with the database's own parameters.
func (q statement) text(parameter func(int) string) string {
	text := "SELECT " + q.from + " FROM " + tableName
	if len(q.where) > 0 {
		text += " WHERE " + strings.Join(q.where, " AND ")
	}
	if text += q.tail; q.limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", q.limit)
	}
	return numberParameters(text, parameter)
}

// numberParameters replaces each question mark: no statement has another one.
func numberParameters(text string, parameter func(int) string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteString(parameter(n))
	}
	return b.String()
}

// query tells of each row as it is read. A table that is not there has none.
func (s *Store) query(ctx context.Context, doing string, q statement, columns int) iter.Seq2[[]sql.NullString, error] {
	return func(yield func([]sql.NullString, error) bool) {
		rows, err := s.db.QueryContext(ctx, q.text(s.dialect.Parameter), q.args...)
		if err != nil {
			if !s.dialect.IsMissing(err) {
				yield(nil, s.describeFailure(ctx, doing, err))
			}
			return
		}
		defer rows.Close()
		values, into := make([]sql.NullString, columns), make([]any, columns)
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				yield(nil, s.describeFailure(ctx, doing, err))
				return
			}
			if !yield(values, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, s.describeFailure(ctx, doing, err))
		}
	}
}
