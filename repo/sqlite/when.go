package sqlite

import (
	"context"
	"fmt"
	"strings"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// when is the time in a column of table file, in seconds since 1970; NULL where the
// value is no number. SQLite checks no types: a date written as text would count
// for its year, a time in January 1970.
func when(column string) string {
	return `CASE WHEN typeof(` + column + `) IN ('integer', 'real') OR ` + column + ` <> '' AND ` + column + ` NOT GLOB '*[^0-9.]*'
		THEN CAST(` + column + ` AS REAL) END`
}

// touched is the later of the two times of row f of table file, of which it may lack
// one.
var touched = `max(coalesce(` + when("f.created_at") + `, ` + when("f.updated_at") + `), coalesce(` + when("f.updated_at") + `, ` + when("f.created_at") + `))`

// inFlight says whether row f is being processed, and was touched after ?2 or at a
// time that nobody can read. No value that the column may hold makes it fail.
var inFlight = `CASE WHEN coalesce(` + touched + ` > ?2, 1) AND json_valid(f.data)
	THEN coalesce(CASE json_type(f.data) WHEN 'object' THEN f.data ->> '$.status' END IN ('` + strings.Join(openwebui.ProcessingStatuses, `', '`) + `'), 0) ELSE 0 END`

// size is that of row f's bytes, as far as its row tells.
const size = `CASE WHEN json_valid(f.meta) AND json_type(f.meta) = 'object' AND json_type(f.meta, '$.size') = 'integer'
	THEN max(0, min(CAST(f.meta ->> '$.size' AS INTEGER), 1 << 50)) ELSE 0 END`

// examineRows counts the rows of table file that hold what the application never
// writes.
func (db *DB) examineRows(ctx context.Context) ([]repo.Finding, error) {
	ids := repo.Finding{Check: "ids of files", OK: true, Detail: "all are text"}
	var odd int64
	if _, err := one(ctx, db.pool, `SELECT count(*) FROM file WHERE typeof(id) <> 'text'`, nil, &odd); err != nil {
		return nil, translate(err, "look at the ids of files")
	}
	if odd > 0 {
		ids.Detail = fmt.Sprintf("%d rows of table file have an id that is no text, or none: they are always kept", odd)
		ids.Do = "look for them with SELECT rowid, typeof(id) FROM file WHERE typeof(id) <> 'text'"
	}
	times := repo.Finding{Check: "times of files", OK: true, Detail: "all are numbers"}
	var wrong []string
	for _, name := range []string{"created_at", "updated_at"} {
		var n int64
		var is, declared string
		if _, err := one(ctx, db.pool, `SELECT count(*), coalesce(min(typeof(f.`+name+`)), ''), (SELECT type FROM pragma_table_info('file') WHERE name = '`+name+`')
			FROM file f WHERE f.`+name+` IS NOT NULL AND `+when("f."+name)+` IS NULL`, nil, &n, &is, &declared); err != nil {
			return nil, translate(err, "look at the times of files")
		}
		if n > 0 {
			wrong = append(wrong, fmt.Sprintf("file.%s, declared as %q, holds %s in %d rows", name, declared, is, n))
			times.Do = fmt.Sprintf("UPDATE file SET %[1]s = CAST(strftime('%%s', %[1]s) AS INTEGER) WHERE typeof(%[1]s) = 'text', and look at what it made", name)
		}
	}
	if len(wrong) > 0 {
		times.Detail = strings.Join(wrong, "; ") + "; wanted are seconds since 1970 as INTEGER (BIGINT): such a file counts as made when a sweep first saw it"
	}
	return []repo.Finding{ids, times}, nil
}
