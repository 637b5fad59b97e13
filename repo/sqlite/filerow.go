package sqlite

import (
	"strings"

	"pruned/repo/openwebui"
)

// secondsSQL is the time in a column of table file, in seconds since 1970; NULL where the
// value is no number. SQLite checks no types: a date written as text would count
// for its year, a time in January 1970.
func secondsSQL(column string) string {
	return `CASE WHEN typeof(` + column + `) IN ('integer', 'real') OR ` + column + ` <> '' AND ` + column + ` NOT GLOB '*[^0-9.]*'
            THEN CAST(` + column + ` AS REAL) END`
}

// The times of row f of table file.
var (
	createdSQL = secondsSQL("f.created_at")
	updatedSQL = secondsSQL("f.updated_at")
)

// touchedSQL is the later of the two, of which the row may lack one.
var touchedSQL = `max(coalesce(` + createdSQL + `, ` + updatedSQL + `), coalesce(` + updatedSQL + `, ` + createdSQL + `))`

// inFlightSQL says whether row f is being processed, and was touched after
// @pending_since, in seconds, or at a time that nobody can read. No value that the column
// may hold makes it fail.
var inFlightSQL = `CASE WHEN coalesce(` + touchedSQL + ` > @pending_since, 1) AND json_valid(f.data)
            THEN coalesce(CASE json_type(f.data) WHEN 'object' THEN f.data ->> '$.status' END IN ('` + strings.Join(openwebui.ProcessingStatuses, `', '`) + `'), 0) ELSE 0 END`

// sizeSQL is that of row f's bytes, as far as its row tells.
const sizeSQL = `CASE WHEN json_valid(f.meta) AND json_type(f.meta) = 'object' AND json_type(f.meta, '$.size') = 'integer'
            THEN max(0, min(CAST(f.meta ->> '$.size' AS INTEGER), 1 << 50)) ELSE 0 END`

// noRowSQL is the condition that candidate c is of an id without a row.
const noRowSQL = `NOT EXISTS (SELECT 1 FROM file f WHERE f.id IN (c.file_id, lower(c.file_id), upper(c.file_id)))`
