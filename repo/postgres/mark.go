package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// insertRowsSQL adds the candidates of the set fresh. Of each it keeps what lists are sorted
// by, so that no list of all has to read table file.
var insertRowsSQL = `
INSERT INTO pruned.candidate (file_id, direction, first_seen, size, made_at)
SELECT c.file_id, 'row', n.at, ` + sizeSQL + `,
       CASE WHEN f.id IS NOT NULL THEN coalesce(to_timestamp(` + createdSQL + `), n.at) END
  FROM fresh c LEFT JOIN %s f ON f.id = c.file_id
 CROSS JOIN (SELECT at, extract(epoch FROM at)::float8 AS now FROM (SELECT clock_timestamp() AS at OFFSET 0) n) n
    ON CONFLICT DO NOTHING`

// describeRowsSQL does that for those whose row came later.
var describeRowsSQL = `
UPDATE pruned.candidate c
   SET size = ` + sizeSQL + `, made_at = coalesce(to_timestamp(` + createdSQL + `), c.first_seen)
  FROM %s f CROSS JOIN (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) n
 WHERE c.direction = 'row' AND c.made_at IS NULL AND f.id = c.file_id`

// UpsertRowCandidates makes the candidates among rows those that no living row mentions, as
// of the last pass.
func (db *DB) UpsertRowCandidates(ctx context.Context, t repo.Tx, _ int64) error {
	if err := db.index.UpsertRowCandidates(ctx, pgxTx(t), db.withFileTable(insertRowsSQL)); err != nil {
		return err
	}
	if _, err := pgxTx(t).Exec(ctx, db.withFileTable(describeRowsSQL)); err != nil {
		return pgerr.Translate(err, "note how large the candidates among rows are")
	}
	return analyzeCandidates(ctx, pgxTx(t))
}

// listableSQL is the condition that what a store lists as candidate c may be one: it has no
// row, its name is in no row's path, and it waits in no tombstone. Of a collection or a
// point there are no rows to look for, nor a name beside the one that it goes by.
func listableSQL(d repo.Direction) string {
	conditions, named := rowlessSQL+`
   AND NOT EXISTS (SELECT FROM pruned.known_file k WHERE k.name = split_part(c.name, '/', -1) AND k.name <> '' OFFSET 0)
   AND `, ` AND s.name = c.name`
	if d.IsLeftover() {
		conditions, named = "", ""
	}
	return conditions + `NOT EXISTS (SELECT FROM pruned.tombstone s
                    WHERE s.file_id = c.file_id` + named + ` AND s.kind = @kind::text AND s.identity = @identity::text OFFSET 0)`
}

// upsertListedSQL adds up what is listed of one id: several objects of a file count
// together, those of another page of the same sweep too. @ids, @names, @sizes, @chunks and
// @ages are columns of the same length.
func upsertListedSQL(d repo.Direction) string {
	return `
INSERT INTO pruned.candidate AS c (file_id, direction, store, sweep, size, chunks, made_at)
SELECT c.file_id, @direction::text, @store::text, @sweep::bigint, sum(c.size), sum(c.chunks),
       CASE WHEN @direction::text = 'bytes' THEN clock_timestamp() - make_interval(secs => min(c.age)) END
  FROM unnest(@ids::text[], @names::text[], @sizes::bigint[], @chunks::bigint[], @ages::float8[]) c (file_id, name, size, chunks, age)
 WHERE ` + listableSQL(d) + `
 GROUP BY c.file_id
    ON CONFLICT (file_id, direction) DO UPDATE
   SET size = excluded.size + CASE WHEN c.sweep = excluded.sweep THEN c.size ELSE 0 END,
       chunks = excluded.chunks + CASE WHEN c.sweep = excluded.sweep THEN c.chunks ELSE 0 END,
       made_at = greatest(excluded.made_at, CASE WHEN c.sweep = excluded.sweep THEN c.made_at END),
       first_seen = CASE WHEN c.store = excluded.store AND (c.direction <> 'collection' OR c.chunks = excluded.chunks) THEN c.first_seen ELSE excluded.first_seen END,
       claimed_at = CASE WHEN c.store = excluded.store THEN c.claimed_at END,
       confirmed = c.confirmed AND c.store = excluded.store,
       shown = c.shown AND c.store = excluded.store,
       store = excluded.store, sweep = excluded.sweep, seen_at = excluded.seen_at`
}

// UpsertListed makes listed objects of files without a row candidates, and listed
// collections and points. A text that is longer than any id is none: a plugin's own chunk
// may say anything.
func (db *DB) UpsertListed(ctx context.Context, t repo.Tx, sweep int64, d repo.Direction, store string, listed []repo.Listed) error {
	var ids, names []string
	var sizes, chunks []int64
	var ages []float64
	for _, l := range listed {
		if len(l.FileID) > mention.LongestID {
			continue
		}
		ids, names, ages = append(ids, l.FileID), append(names, l.Name), append(ages, l.Age.Seconds())
		sizes, chunks = append(sizes, l.Size), append(chunks, l.Chunks)
	}
	sql, args := db.bindArgs(upsertListedSQL(d), pgx.NamedArgs{"direction": string(d), "kind": d.Kind(), "identity": db.identity.String(), "sweep": sweep,
		"store": store, "ids": ids, "names": names, "sizes": sizes, "chunks": chunks, "ages": ages})
	_, err := pgxTx(t).Exec(ctx, sql, args...)
	return pgerr.Translate(err, "mark what a store lists of %d candidates", len(listed))
}

// dropStaleSQL deletes candidates that the sweep did not list, and those of files whose row
// came since they were listed.
func dropStaleSQL(d repo.Direction) string {
	stale := `c.sweep <> $2::bigint`
	if !d.IsLeftover() {
		stale += ` OR NOT (` + rowlessSQL + `)`
	}
	return `
DELETE FROM pruned.candidate c
 WHERE c.direction = $1::text AND c.direction <> 'row' AND (` + stale + `)`
}

// DropStale deletes the candidates that the sweep did not find in their store.
func (db *DB) DropStale(ctx context.Context, t repo.Tx, sweep int64, d repo.Direction) error {
	_, err := pgxTx(t).Exec(ctx, db.withFileTable(dropStaleSQL(d)), string(d), sweep)
	if err != nil {
		return pgerr.Translate(err, "forget candidates among %s", d)
	}
	return analyzeCandidates(ctx, pgxTx(t))
}

// analyzeCandidates gathers statistics where the number of candidates is far from the
// planner's estimate: a page would sort all of them.
func analyzeCandidates(ctx context.Context, t pgx.Tx) error {
	var stale bool
	err := t.QueryRow(ctx, `SELECT abs((SELECT count(*) FROM pruned.candidate) - greatest(reltuples, 0)) > 1000 + reltuples / 5
		FROM pg_class WHERE oid = 'pruned.candidate'::regclass`).Scan(&stale)
	if err == nil && stale {
		_, err = t.Exec(ctx, `ANALYZE (SKIP_LOCKED) pruned.candidate`)
	}
	return pgerr.Translate(err, "gather statistics of the candidates")
}
