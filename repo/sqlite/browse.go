package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"pruned/repo"
)

// CountFiles counts the rows of table file.
func (db *DB) CountFiles(ctx context.Context) (n int64, err error) {
	_, err = queryOne(ctx, db.pool, `SELECT count(*) FROM file`, nil, &n)
	return n, translate(err, "count the files")
}

// unusedFromSQL are candidates that a filter means, but rows that are gone since the sweep,
// beside those tables that the filter or the order asks for: SQLite reads a row of each that
// is named. Names are read as texts, whatever they are.
func unusedFromSQL(filter, order string) string {
	join, there := "", `EXISTS (SELECT 1 FROM file r WHERE r.id = c.file_id)`
	if strings.Contains(filter+order, "f.") {
		join, there = "\n  LEFT JOIN file f ON c.direction = 'row' AND f.id = c.file_id", `f.id IS NOT NULL`
	}
	if strings.Contains(filter+order, "u.") {
		join += "\n  LEFT JOIN user u ON u.id = f.user_id"
	}
	return "FROM pruned_candidate c" + join + "\n WHERE (c.direction <> 'row' OR " + there + ")" + filter
}

// unusedSQL goes through table file once, to count all and to find one page, and reads names
// for that page alone. Of all it keeps in memory no more than a number and what it sorts by.
// Those at the same place are in the order in which they were found first.
const unusedSQL = `
WITH found AS MATERIALIZED (SELECT c.rowid AS candidate, {order} AS place
  {from})
SELECT c.file_id, c.direction, coalesce(CAST(f.filename AS TEXT), ''), coalesce(CAST(f.user_id AS TEXT), ''), coalesce(CAST(u.name AS TEXT), ''),
       (SELECT count(*) FROM found)
  FROM (SELECT candidate, place FROM found ORDER BY place NULLS LAST, candidate LIMIT @limit OFFSET @offset) p
  CROSS JOIN pruned_candidate c ON c.rowid = p.candidate
  LEFT JOIN file f ON c.direction = 'row' AND f.id = c.file_id
  LEFT JOIN user u ON u.id = f.user_id
 ORDER BY p.place NULLS LAST, p.candidate`

var unusedOrders = map[string]string{
	"size":  `-c.size`,
	"age":   `coalesce(c.made_at, c.first_seen)`,
	"due":   `max(coalesce(c.made_at, c.first_seen) + @min, c.first_seen + @orphan)`,
	"name":  `lower(nullif(CAST(f.filename AS TEXT), ''))`,
	"owner": `lower(coalesce(u.name, f.user_id))`,
}

// unusedFilterSQL are the conditions that a filter has: those that are not there cost nothing.
func unusedFilterSQL(f repo.UnusedFilter) (sql string) {
	for _, c := range []struct {
		is  bool
		sql string
	}{
		{f.Direction != "", `c.direction = @direction`},
		{f.ID != "", `c.file_id = @id`},
		{f.Text != "", `(instr(lower(coalesce(CAST(f.filename AS TEXT), '')), lower(@text)) > 0 OR instr(lower(c.file_id), lower(@text)) > 0)`},
		{f.User != "", `(f.user_id = @user OR lower(u.name) = lower(@user))`},
		{f.Held, `c.shown AND NOT c.confirmed AND (c.direction = 'row' AND EXISTS (SELECT 1 FROM pruned_hold WHERE direction = 'row') OR (c.direction, c.store) IN (SELECT direction, store FROM pruned_hold))`},
	} {
		if c.is {
			sql += "\n   AND " + c.sql
		}
	}
	return sql
}

// ListUnused lists a page of candidates.
func (db *DB) ListUnused(ctx context.Context, ages repo.Ages, f repo.UnusedFilter) (page []repo.Unused, total int64, err error) {
	order, known := unusedOrders[cmp.Or(f.Sort, repo.UnusedSorts[0])]
	if !known {
		return nil, 0, fmt.Errorf("%q is no order of candidates", f.Sort)
	}
	filter := unusedFilterSQL(f)
	query := strings.NewReplacer("{from}", unusedFromSQL(filter, order), "{order}", order).Replace(unusedSQL)
	args := []any{sql.Named("direction", string(f.Direction)), sql.Named("id", f.ID), sql.Named("text", f.Text), sql.Named("user", f.User),
		sql.Named("min", ages.Min.Microseconds()), sql.Named("orphan", ages.Orphan.Microseconds()), sql.Named("limit", f.Limit), sql.Named("offset", f.Offset)}
	var u repo.Unused
	err = queryEach(ctx, db.pool, query, args,
		[]any{&u.FileID, &u.Direction, &u.Name, &u.Owner, &u.OwnerName, &total}, func() error {
			page = append(page, u)
			return nil
		})
	if err != nil {
		return nil, 0, translate(err, "list what is unused")
	}
	err = repo.DescribeUnused(page, func(d repo.Direction, ids []string, yield func(repo.Candidate)) error {
		args := []any{sql.Named("ids", jsonList(ids)), sql.Named("limit", -1)}
		return db.readCandidates(ctx, db.pool, d, ages, `c.file_id IN (SELECT value FROM json_each(@ids))`, args,
			func(c repo.Candidate, _ time.Duration) { yield(c) })
	})
	return page, total, err
}

const browseLedgerSQL = `
SELECT l.file_id, l.path, l.outcome, l.event_id, l.source, l.reason, l.note, l.at, count(*) OVER ()
  FROM pruned_ledger l
 WHERE l.at >= @since AND (@outcome = '' OR l.outcome = @outcome)
   AND (@text = '' OR instr(lower(l.path), lower(@text)) > 0 OR instr(lower(l.reason), lower(@text)) > 0 OR instr(lower(l.file_id), lower(@text)) > 0
        OR EXISTS (SELECT 1 FROM pruned_trash t WHERE t.file_id = l.file_id AND t.identity = @identity AND instr(lower(t.filename), lower(@text)) > 0))
   AND (@user = '' OR l.file_id IN (SELECT t.file_id FROM pruned_trash t LEFT JOIN user u ON u.id = t.owner
                                     WHERE t.identity = @identity AND (t.owner = @user OR lower(u.name) = lower(@user))))
 ORDER BY l.seq DESC LIMIT @limit OFFSET @offset`

// ListLedger lists a page of the ledger.
func (db *DB) ListLedger(ctx context.Context, f repo.LedgerFilter) (page []repo.Entry, total int64, err error) {
	var since int64
	if !f.Since.IsZero() {
		since = toMicros(f.Since)
	}
	args := []any{sql.Named("since", since), sql.Named("outcome", f.Outcome), sql.Named("text", f.Text), sql.Named("user", f.User),
		sql.Named("identity", db.identity.Key), sql.Named("limit", f.Limit), sql.Named("offset", f.Offset)}
	var e repo.Entry
	var at int64
	err = queryEach(ctx, db.pool, browseLedgerSQL, args,
		[]any{&e.FileID, &e.Path, &e.Outcome, &e.EventID, &e.Source, &e.Reason, &e.Note, &at, &total}, func() error {
			e.At = fromMicros(at)
			page = append(page, e)
			return nil
		})
	return page, total, translate(err, "list the ledger")
}

// daySeconds is a day.
const daySeconds = 24 * 60 * 60

// CountFreed counts the ledger's lines by days.
func (db *DB) CountFreed(ctx context.Context, days int) (map[time.Time]int64, error) {
	counts := map[time.Time]int64{}
	first := time.Now().UTC().Truncate(daySeconds*time.Second).AddDate(0, 0, 1-days)
	var day, n int64
	err := queryEach(ctx, db.pool, `SELECT at / 86400000000, count(*) FROM pruned_ledger WHERE at >= ?1 AND outcome IN ('deleted', 'gone') GROUP BY 1`,
		[]any{toMicros(first)}, []any{&day, &n}, func() error { counts[time.Unix(day*daySeconds, 0).UTC()] = n; return nil })
	return counts, translate(err, "count what was deleted by days")
}

// ReadText reads the beginning of a text.
func (db *DB) ReadText(ctx context.Context, id string) (text string, err error) {
	_, err = queryOne(ctx, db.pool, `SELECT coalesce(CASE WHEN json_valid(f.data) AND json_type(f.data) = 'object'
		THEN substr(CAST(f.data ->> '$.content' AS TEXT), 1, ?2) END, '') FROM file f WHERE f.id = ?1`, []any{id, repo.MaxPreview}, &text)
	return text, translate(err, "read the text of file %s", id)
}
