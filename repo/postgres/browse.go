package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// CountFiles counts the rows of table file.
func (db *DB) CountFiles(ctx context.Context) (n int64, err error) {
	err = db.readRow(ctx, db.withFileTable(`SELECT count(*) FROM %s`), nil, &n)
	return n, pgerr.Translate(err, "count the files")
}

// unusedFromSQL are candidates, but rows that are gone since the sweep. A table that neither
// the filter nor the order asks for is not read: both joins are by its key.
const unusedFromSQL = `
  FROM pruned.candidate c
  LEFT JOIN %s f ON c.direction = 'row' AND f.id = c.file_id
  LEFT JOIN {user} u ON u.id = f.user_id
 WHERE (c.direction <> 'row' OR f.id IS NOT NULL){filter}`

// unusedSQL reads names for one page alone, which it finds before, and counts all.
const unusedSQL = `
WITH page AS MATERIALIZED (SELECT c.file_id, c.direction {from} ORDER BY {order} LIMIT @limit::int OFFSET @offset::int)
SELECT c.file_id, c.direction, coalesce(f.filename, ''), coalesce(f.user_id, ''), coalesce(u.name::text, ''), (SELECT count(*) {from})
  {from} AND (c.file_id, c.direction) IN (SELECT file_id, direction FROM page) ORDER BY {order}`

var unusedOrders = map[string]string{
	"size":  `c.size DESC`,
	"age":   `coalesce(c.made_at, c.first_seen)`,
	"due":   `greatest(coalesce(c.made_at, c.first_seen) + make_interval(secs => @min::float8), c.first_seen + make_interval(secs => @orphan::float8))`,
	"name":  `coalesce(f.filename, '') = '', lower(f.filename)`,
	"owner": `coalesce(u.name::text, f.user_id) IS NULL, lower(coalesce(u.name::text, f.user_id))`,
}

// unusedFilterSQL are the conditions that a filter has: those that are not there cost nothing.
// What is held is no join, and asks for nothing in a way that the planner has statistics of:
// they are older than the hold, so that it would expect a few rows.
func unusedFilterSQL(f repo.UnusedFilter) (sql string) {
	for _, c := range []struct {
		is  bool
		sql string
	}{
		{f.Direction != "", `c.direction = @direction::text`},
		{f.ID != "", `c.file_id = @id::text`},
		{f.Text != "", `(strpos(lower(coalesce(f.filename, '')), lower(@text::text)) > 0 OR strpos(lower(c.file_id), lower(@text::text)) > 0)`},
		{f.User != "", `(f.user_id = @user::text OR lower(u.name::text) = lower(@user::text))`},
		{f.Held, `CASE WHEN c.shown THEN NOT c.confirmed END AND ((c.direction, c.store) IN (SELECT direction, CASE direction WHEN 'row' THEN '' ELSE store END FROM pruned.hold)) IS TRUE`},
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
	from := strings.NewReplacer("{user}", db.quotedTable("user"), "{filter}", unusedFilterSQL(f)).Replace(unusedFromSQL)
	sql, args := db.bindArgs(strings.NewReplacer("{from}", from, "{order}", order+`, c.file_id COLLATE "C", c.direction`).Replace(unusedSQL), pgx.NamedArgs{
		"direction": string(f.Direction), "id": f.ID, "text": f.Text, "user": f.User, "limit": f.Limit, "offset": f.Offset,
		"min": ages.Min.Seconds(), "orphan": ages.Orphan.Seconds(),
	})
	var u repo.Unused
	err = db.readEach(ctx, sql, args, []any{&u.FileID, &u.Direction, &u.Name, &u.Owner, &u.OwnerName, &total}, func() { page = append(page, u) })
	if err == nil {
		err = repo.DescribeUnused(page, func(d repo.Direction, ids []string, yield func(repo.Candidate)) error {
			return db.InTx(ctx, nil, func(t repo.Tx) error {
				return db.readCandidates(ctx, t, d, ages, ` AND file_id = ANY (@ids::text[])`, pgx.NamedArgs{"ids": ids},
					func(c repo.Candidate, _ bool) { yield(c) })
			})
		})
	}
	return page, total, pgerr.Translate(err, "list what is unused")
}

const browseLedgerSQL = `
SELECT l.file_id, l.path, l.outcome, l.event_id, l.source, l.reason, l.at, l.note, count(*) OVER ()
  FROM pruned.ledger l
 WHERE ($1::timestamptz IS NULL OR l.at >= $1::timestamptz) AND ($2::text = '' OR l.outcome = $2::text)
   AND ($3::text = '' OR strpos(lower(l.path), lower($3::text)) > 0 OR strpos(lower(l.reason), lower($3::text)) > 0 OR strpos(lower(l.file_id), lower($3::text)) > 0
        OR EXISTS (SELECT FROM pruned.trash t WHERE t.file_id = l.file_id AND t.identity = $5::text AND strpos(lower(t.filename), lower($3::text)) > 0))
   AND ($4::text = '' OR l.file_id IN (SELECT t.file_id FROM pruned.trash t LEFT JOIN {user} u ON u.id = t.owner
                                        WHERE t.identity = $5::text AND (t.owner = $4::text OR lower(u.name::text) = lower($4::text))))
 ORDER BY l.seq DESC LIMIT $6::int OFFSET $7::int`

// ListLedger lists a page of the ledger.
func (db *DB) ListLedger(ctx context.Context, f repo.LedgerFilter) (page []repo.Entry, total int64, err error) {
	var since *time.Time
	if !f.Since.IsZero() {
		since = &f.Since
	}
	var e repo.Entry
	err = db.readEach(ctx, strings.ReplaceAll(browseLedgerSQL, "{user}", db.quotedTable("user")),
		[]any{since, f.Outcome, f.Text, f.User, db.Identity().Key, f.Limit, f.Offset},
		[]any{&e.FileID, &e.Path, &e.Outcome, &e.EventID, &e.Source, &e.Reason, &e.At, &e.Note, &total}, func() { page = append(page, e) })
	return page, total, pgerr.Translate(err, "list the ledger")
}

const freedSQL = `
SELECT date_trunc('day', at AT TIME ZONE 'UTC'), count(*) FROM pruned.ledger
 WHERE at >= date_trunc('day', clock_timestamp(), 'UTC') - make_interval(days => $1::int - 1) AND outcome IN ('deleted', 'gone') GROUP BY 1`

// CountFreed counts the ledger's lines by days.
func (db *DB) CountFreed(ctx context.Context, days int) (map[time.Time]int64, error) {
	counts := map[time.Time]int64{}
	var day time.Time
	var n int64
	err := db.readEach(ctx, freedSQL, []any{days}, []any{&day, &n}, func() { counts[day.UTC()] = n })
	return counts, pgerr.Translate(err, "count what was deleted by days")
}

// previewSQL finds the text in the JSON without taking that apart (see maxTextBytes).
const previewSQL = `SELECT coalesce((SELECT CASE WHEN octet_length(d.text) <= ` + maxTextBytes + `
                         THEN substring(d.text FROM '"content"\s*:\s*"((?:[^"\\]|\\.){0,250}(?:[^"\\]|\\.){0,250}(?:[^"\\]|\\.){0,100})') END
               FROM (SELECT f.data::text AS text OFFSET 0) d), '') FROM %s f WHERE f.id = $1::text`

// ReadText reads the beginning of a text. What JSON escapes it gives back; an escape that
// was cut off, or stands for nothing, stays as it is.
func (db *DB) ReadText(ctx context.Context, id string) (text string, err error) {
	err = db.readEach(ctx, db.withFileTable(previewSQL), []any{id}, []any{&text}, func() {})
	var plain string
	if json.Unmarshal([]byte(`"`+text+`"`), &plain) == nil {
		text = plain
	}
	return text, pgerr.Translate(err, "read the text of file %s", id)
}
