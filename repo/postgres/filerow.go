package postgres

import (
	"context"
	"maps"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// withFileTable fills in the name of table file.
func (db *DB) withFileTable(text string) string {
	return strings.ReplaceAll(text, "%s", db.quotedTable("file"))
}

// bindArgs numbers the named parameters of a statement, and then fills in the name of
// table file: pgx stops reading at a byte that is no UTF-8, which a schema's name has in a
// database of another encoding.
func (db *DB) bindArgs(text string, named pgx.NamedArgs) (sql string, args []any) {
	numbered, args, _ := named.RewriteQuery(context.Background(), nil, text, nil) // it never fails
	return db.withFileTable(numbered), args
}

// bindPrepared is bindArgs for a statement that every batch runs.
func (db *DB) bindPrepared(text string, named pgx.NamedArgs) (sql string, args []any) {
	sql, args = db.bindArgs(text, named)
	return sql, append([]any{db.execMode()}, args...)
}

// agesArgs are the ages that rows are measured against, in seconds, beside other
// parameters.
func agesArgs(ages repo.Ages, more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"min": ages.Min.Seconds(), "pending": ages.Pending.Seconds(), "orphan": ages.Orphan.Seconds()}
	maps.Copy(args, more)
	return args
}

// The times of row f of table file in seconds, or NULL; n.now is the time.
var (
	createdSQL = openwebui.SecondsSQL("f.created_at::float8", "n.now")
	updatedSQL = openwebui.SecondsSQL("f.updated_at::float8", "n.now")
)

// The JSON of a file is searched as text and never taken apart: the operators raise for a
// whole statement where one row of thousands holds an escaped NUL, half of a surrogate
// pair, or, in a column of text, no JSON at all, and any user can upload that. In the text
// a quote within a string has a backslash before it, so that the patterns match keys and
// values alone. They match a nested object too, which keeps a file for longer and never
// for less.

// maxTextBytes bounds the text that a pattern is applied to: a regular expression takes
// four bytes for each of its bytes, and PostgreSQL allocates a gigabyte at most.
const maxTextBytes = "67108864"

// inFlightSQL is the condition that the status of file f is one of a file that is
// being processed. A text that is too long to be searched may be one.
var inFlightSQL = `(SELECT CASE WHEN octet_length(d.text) > ` + maxTextBytes + ` THEN true
                    ELSE d.text ~ '"status"\s*:\s*"(` + strings.Join(openwebui.ProcessingStatuses, "|") + `)"' END
               FROM (SELECT f.data::text COLLATE "C" AS text OFFSET 0) d)`

// statusSQL is the status of file f, or NULL.
const statusSQL = `(SELECT CASE WHEN octet_length(d.text) <= ` + maxTextBytes + `
                    THEN substring(d.text FROM '"status"\s*:\s*"([^"\\]*)"') END
               FROM (SELECT f.data::text COLLATE "C" AS text OFFSET 0) d)`

// sizeSQL is the size of file f, by its row, or zero. To count the digits in the pattern
// takes twice the time.
const sizeSQL = `coalesce((SELECT CASE WHEN octet_length(s.digits) <= 18 THEN s.digits END
               FROM (SELECT CASE WHEN octet_length(m.text) <= ` + maxTextBytes + `
                                 THEN substring(m.text FROM '"size"\s*:\s*"?([0-9]+)"?\s*[,}]') END AS digits
                       FROM (SELECT f.meta::text COLLATE "C" AS text OFFSET 0) m OFFSET 0) s)::bigint, 0)`

// toDuration converts seconds of PostgreSQL, to a century at most.
func toDuration(s float64) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	switch limit := century.Seconds(); {
	case s > limit, math.IsNaN(s): // NaN is more than everything, as in PostgreSQL
		return century
	case s < -limit:
		return -century
	}
	return time.Duration(s * float64(time.Second))
}
