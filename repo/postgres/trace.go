package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
	"pruned/repo/trace"
)

const (
	traceStore = "database"
	// pageTarget is how long a statement is to take.
	pageTarget              = 500 * time.Millisecond
	firstBlocks, mostBlocks = 64, 16_384
)

// tracedSQL lists what holds rows, wherever it lies: also what mentions no file, our own
// tables, and what copies rows. Partitions are tables themselves. Columns that hold no
// texts, and those that are computed from others, are left out. What is null is the reason
// why rows cannot be searched.
const tracedSQL = `
SELECT n.nspname, c.relname,
       CASE WHEN c.relkind = 'f' THEN 'a foreign table, whose rows lie elsewhere'
            WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'the role has no USAGE on its schema'
            WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'the role may not read it' ELSE '' END,
       coalesce(pg_relation_size(c.oid) / current_setting('block_size')::bigint, 0),
       ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
                AND t.typcategory NOT IN ('B', 'N', 'D', 'T', 'G') AND t.typname NOT IN ('vector', 'halfvec', 'sparsevec', 'bytea') ORDER BY a.attnum),
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated <> 'v' AND a.atttypid = 'pg_catalog.bytea'::regtype ORDER BY a.attnum),
       ARRAY(SELECT a.attname::text FROM pg_constraint k CROSS JOIN unnest(k.conkey) WITH ORDINALITY u (num, i)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
              WHERE k.conrelid = c.oid AND k.contype = 'p' ORDER BY u.i)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
 ORDER BY 1, 2`

// tracedTable is one of them.
type tracedTable struct {
	schema, name, unreadable string
	blocks                   int64
	texts, bytes, key        []string
}

// String is the name for people.
func (t *tracedTable) String() string { return t.schema + "." + t.name }

const largeObjectsSQL = `SELECT EXISTS (SELECT FROM pg_largeobject_metadata)`

var errLargeObjects = errors.New("their bytes are not searched")

// Trace searches every table that our role may read, our own ones and those of vectors
// too, in short statements. A row that is written meanwhile may be passed over.
func (db *DB) Trace(ctx context.Context, s *trace.Search) error {
	var tables []*tracedTable
	var objects bool
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		rows, _ := t.Query(ctx, tracedSQL)
		tables, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*tracedTable, error) {
			t := &tracedTable{}
			return t, row.Scan(&t.schema, &t.name, &t.unreadable, &t.blocks, &t.texts, &t.bytes, &t.key)
		})
		if err == nil {
			err = t.QueryRow(ctx, largeObjectsSQL).Scan(&objects)
		}
		return err
	})
	if err != nil {
		return pgerr.Translate(err, "list the tables")
	}
	if objects {
		s.NoteGap(traceStore, "large objects", errLargeObjects)
	}
	for _, t := range tables {
		if t.unreadable != "" {
			s.NoteGap(traceStore, t.String(), errors.New(t.unreadable))
			continue
		}
		var told *tellError
		switch err := db.traceTable(ctx, s, t); {
		case ctx.Err() != nil:
			return pgerr.Translate(ctx.Err(), "search table %s", t)
		case errors.As(err, &told):
			return told.err
		case err != nil:
			s.NoteGap(traceStore, t.String(), err)
		default:
			s.NoteSearched(traceStore, t.String())
		}
	}
	return nil
}

// tellError is a failure to tell what was found.
type tellError struct{ err error }

func (e *tellError) Error() string { return e.err.Error() }

// traceTable reads a table in the order in which it lies on the disk.
func (db *DB) traceTable(ctx context.Context, s *trace.Search, t *tracedTable) error {
	if len(t.texts)+len(t.bytes) == 0 {
		return nil
	}
	statement, args := t.searchSQL(s.Text)
	step := int64(firstBlocks)
	for next := int64(0); next < t.blocks; {
		began := time.Now()
		end := min(next+step, t.blocks)
		if end == t.blocks {
			end++ // a page that was added since
		}
		found, err := db.tracePage(ctx, fmt.Sprintf(statement, next, end), args, t)
		if err != nil {
			return err
		}
		for _, place := range found {
			if err := s.AddCount(place); err != nil {
				return &tellError{err}
			}
		}
		s.Progress(traceStore+" "+t.String(), min(end, t.blocks), t.blocks)
		next = end
		took := max(time.Since(began), time.Millisecond)
		step = min(max(int64(float64(step)*float64(pageTarget)/float64(took)), 1), 2*step, mostBlocks)
	}
	return nil
}

func (db *DB) tracePage(ctx context.Context, statement string, args []any, t *tracedTable) (found []trace.Place, err error) {
	err = db.inNewTx(ctx, longTimeout, func(opened repo.Tx) error {
		rows, _ := pgxTx(opened).Query(ctx, statement, args...)
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (trace.Place, error) {
			place := trace.Place{Store: traceStore, Table: t.String()}
			return place, row.Scan(&place.Row, &place.Column, &place.Count)
		})
		return pgerr.Translate(err, "search table %s", t)
	})
	return found, err
}

// searchSQL is the statement for blocks from %d to %d. Texts are compared in lower case of
// ASCII, bytes as they are, in lower and in upper case.
func (t *tracedTable) searchSQL(text trace.Text) (statement string, args []any) {
	var values []string
	for _, c := range t.texts {
		values = append(values, fmt.Sprintf(`(%s, lower((t.%s::text) COLLATE "C"), NULL::bytea)`, refindex.QuoteLiteral(c), refindex.QuoteName(c)))
	}
	for _, c := range t.bytes {
		values = append(values, fmt.Sprintf(`(%s, NULL, t.%s)`, refindex.QuoteLiteral(c), refindex.QuoteName(c)))
	}
	raw := slices.Clone(text.Raw)
	for _, form := range append([]string{text.ID}, text.Forms...) {
		for _, written := range []string{form, strings.ToUpper(form)} {
			if !slices.ContainsFunc(raw, func(r []byte) bool { return string(r) == written }) {
				raw = append(raw, []byte(written))
			}
		}
	}
	return `SELECT ` + t.keySQL() + `, v.name, coalesce(n.texts, 0) + coalesce(n.raw, 0)
  FROM ONLY ` + strings.ReplaceAll(refindex.QuoteName(t.schema)+"."+refindex.QuoteName(t.name), "%", "%%") + ` t
 CROSS JOIN LATERAL (VALUES ` + strings.ReplaceAll(strings.Join(values, ", "), "%", "%%") + `) v (name, text, data)
 CROSS JOIN LATERAL (SELECT
       (SELECT sum((length(v.text) - length(replace(v.text, f, ''))) / length(f)) FROM unnest($1::text[]) f)::bigint,
       (SELECT count(*) FROM unnest($2::bytea[]) r WHERE position(r IN v.data) > 0)) n (texts, raw)
 WHERE t.ctid >= '(%d,0)' AND t.ctid < '(%d,0)'
   AND (v.text IS NOT NULL AND EXISTS (SELECT FROM unnest($3::text[]) s WHERE strpos(v.text, s) > 0)
        OR v.data IS NOT NULL AND EXISTS (SELECT FROM unnest($2::bytea[]) r WHERE position(r IN v.data) > 0))`, []any{text.Forms, raw, text.Sieve}
}

// keySQL names row t by its primary key, as {a,b} if that has several columns, else by
// where it lies.
func (t *tracedTable) keySQL() string {
	var parts []string
	for _, c := range t.key {
		parts = append(parts, "t."+strings.ReplaceAll(refindex.QuoteName(c), "%", "%%")+"::text")
	}
	switch len(parts) {
	case 0:
		return "'ctid ' || t.ctid::text"
	case 1:
		return parts[0]
	}
	return "'{' || " + strings.Join(parts, " || ',' || ") + " || '}'"
}
