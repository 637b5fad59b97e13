package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// Times of ours are microseconds since 1970, those of table file seconds.
func toMicros(t time.Time) int64    { return t.UnixMicro() }
func fromMicros(n int64) time.Time  { return time.UnixMicro(n) }
func toSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// clampToNow: what happened in the future happened now. The clock was ahead, or has
// been put back.
func clampToNow(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

// dates are those of a file: when it was made, and last touched.
type dates struct{ made, touched time.Time }

// rowDates are the dates of a row, from two times as it has them. A row without a time
// that can be is as old as it is known.
func rowDates(made, changed *float64, known, now time.Time) dates {
	at := func(value *float64) (t time.Time, ok bool) {
		if value == nil {
			return t, false
		}
		s, ok := openwebui.SecondsOf(*value, toSeconds(now))
		return time.UnixMicro(int64(s * 1e6)), ok
	}
	first, is := at(made)
	d := dates{known, known}
	if is {
		d = dates{first, first}
	}
	if last, was := at(changed); was && (!is || last.After(first)) {
		d.touched = last
	}
	return d
}

// listedDates are the dates of what a store lists: of its own objects, and of the
// bytes of the same file, in microseconds.
func listedDates(made, bytes *float64, known, now time.Time) dates {
	d := dates{known, known}
	if made != nil {
		d.made = clampToNow(fromMicros(int64(*made)), now)
	}
	if bytes != nil {
		d.touched = clampToNow(fromMicros(int64(*bytes)), now)
	}
	return d
}

// mendTimesStatements are statements by which what happened in the future happened now: the
// clock was ahead, or has been put back.
func mendTimesStatements(now time.Time) []statement {
	var list []statement
	for _, sql := range []string{
		`UPDATE pruned_candidate SET first_seen = min(first_seen, ?1), seen_at = min(seen_at, ?1), made_at = min(made_at, ?1),
		        claimed_at = CASE WHEN claimed_at <= ?1 THEN claimed_at END
		  WHERE max(first_seen, seen_at, coalesce(made_at, 0), coalesce(claimed_at, 0)) > ?1`,
		`UPDATE pruned_hold SET at = min(at, ?1), shown_at = min(shown_at, ?1) WHERE max(at, shown_at) > ?1`,
		`UPDATE pruned_confirmation SET at = ?1 WHERE at > ?1`,
		`UPDATE pruned_survivor SET made_at = ?1 WHERE made_at > ?1`,
	} {
		list = append(list, statement{sql, []any{toMicros(now)}})
	}
	return list
}

var countTimesSQL = `
SELECT ` + openwebui.TimesSQL("created", "?1") + `,
       ` + openwebui.TimesSQL("updated", "?1") + `
  FROM (SELECT ` + createdSQL + ` AS created,
               ` + updatedSQL + ` AS updated FROM file f)`

// examineTimes tells of what the times of table file count.
func (db *DB) examineTimes(ctx context.Context) (repo.Finding, error) {
	c, u := repo.Times{Column: "created_at"}, repo.Times{Column: "updated_at"}
	_, err := queryOne(ctx, db.pool, countTimesSQL, []any{toSeconds(time.Now())}, &c.None, &c.Millis, &c.Micros, &c.Nanos, &c.Future, &c.Together,
		&u.None, &u.Millis, &u.Micros, &u.Nanos, &u.Future, &u.Together)
	return repo.CheckTimes(c, u), translate(err, "look at the times of table file")
}

// oddTimesSQL counts the values of a column that are no time.
func oddTimesSQL(name string) string {
	return `
SELECT count(*), coalesce(min(typeof(f.` + name + `)), ''), (SELECT type FROM pragma_table_info('file') WHERE name = '` + name + `')
  FROM file f WHERE f.` + name + ` IS NOT NULL AND ` + secondsSQL("f."+name) + ` IS NULL`
}

// examineRows counts the rows of table file that hold what the application never
// writes.
func (db *DB) examineRows(ctx context.Context) ([]repo.Finding, error) {
	ids := repo.Finding{Check: "ids of files", OK: true, Detail: "all are text"}
	var odd int64
	if _, err := queryOne(ctx, db.pool, `SELECT count(*) FROM file WHERE typeof(id) <> 'text'`, nil, &odd); err != nil {
		return nil, translate(err, "look at the ids of files")
	}
	if odd > 0 {
		ids.Detail = fmt.Sprintf("%d rows of table file have an id that is no text, or none: they are always kept", odd)
		ids.Remedy = "look for them with SELECT rowid, typeof(id) FROM file WHERE typeof(id) <> 'text'"
	}
	times := repo.Finding{Check: "times of files", OK: true, Detail: "all are numbers"}
	var wrong []string
	for _, name := range []string{"created_at", "updated_at"} {
		var n int64
		var is, declared string
		if _, err := queryOne(ctx, db.pool, oddTimesSQL(name), nil, &n, &is, &declared); err != nil {
			return nil, translate(err, "look at the times of files")
		}
		if n > 0 {
			wrong = append(wrong, fmt.Sprintf("file.%s, declared as %q, holds %s in %d rows", name, declared, is, n))
			times.Remedy = fmt.Sprintf("UPDATE file SET %[1]s = CAST(strftime('%%s', %[1]s) AS INTEGER) WHERE typeof(%[1]s) = 'text', and look at what it made", name)
		}
	}
	if len(wrong) > 0 {
		times.Detail = strings.Join(wrong, "; ") + "; wanted are seconds since 1970 as INTEGER (BIGINT): such a file counts as made when a sweep first saw it"
	}
	return []repo.Finding{ids, times}, nil
}
