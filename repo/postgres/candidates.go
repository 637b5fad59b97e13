package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// The queries below give candidates in rows of one shape. "there" tells whether one is a
// candidate still: its row exists, or, for stores, none does. "ripe" is how long until it
// is old enough and no longer in flight, measured as Lock measures it; NULL where nothing
// speaks against it. A column that a query leaves out is not computed. OFFSET 0 makes each
// row a lookup, whatever the planner believes of tables that nobody has analyzed yet, and
// has times computed once.

// rowCandidatesSQL reads meta only of candidates that nobody has described yet, and data, which
// holds the whole extracted text, only until settleSQL has.
func rowCandidatesSQL(from string) string {
	return `
SELECT c.file_id, c.direction, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, f.id IS NOT NULL AS there,
       t.now, t.seen, t.now - t.made AS age,
       greatest(t.made + @min::float8 - t.now, CASE WHEN in_flight.yes THEN t.touched + @pending::float8 - t.now END) AS ripe,
       CASE WHEN c.made_at IS NULL THEN ` + sizeSQL + ` ELSE c.size END AS size,
       c.chunks, t.touched, t.stamp, c.settled, in_flight.yes AS in_flight,
       NOT c.confirmed AND EXISTS (SELECT FROM pruned.hold WHERE direction = 'row') AS held
  FROM ` + from + ` c
  LEFT JOIN LATERAL (SELECT * FROM %s f WHERE f.id = c.file_id OFFSET 0) f ON true
 CROSS JOIN LATERAL (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) n
 CROSS JOIN LATERAL (SELECT n.now, least(extract(epoch FROM c.first_seen)::float8, n.now) AS seen) s
 CROSS JOIN LATERAL (SELECT n.now, s.seen, coalesce(` + createdSQL + `, s.seen) AS made,
                            coalesce(greatest(` + createdSQL + `, ` + updatedSQL + `), s.seen) AS touched,
                            coalesce(greatest(f.created_at, f.updated_at), 0)::float8 AS stamp OFFSET 0) t
 CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN t.touched > t.now - @pending::float8 AND t.stamp IS DISTINCT FROM c.settled
                                          THEN ` + inFlightSQL + ` END, false) AS yes) in_flight`
}

// listedCandidatesSQL: an event is about everything of an id, so that young bytes make
// it young, and a hold holds it, wherever it was found.
func listedCandidatesSQL(from string) string {
	return `
SELECT c.file_id, c.direction, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, ` + rowlessSQL + ` AS there,
       t.now, least(extract(epoch FROM c.first_seen)::float8, t.now) AS seen,
       t.now - least(extract(epoch FROM coalesce(c.made_at, c.first_seen))::float8, t.now) AS age,
       CASE WHEN b.made_at IS NOT NULL THEN least(extract(epoch FROM b.made_at)::float8, t.now) + @min::float8 - t.now END AS ripe,
       c.size, c.chunks, NULL::float8 AS touched, NULL::float8 AS stamp, NULL::bigint AS settled, false AS in_flight,
       EXISTS (SELECT FROM pruned.hold h JOIN pruned.candidate o ON o.direction = h.direction AND o.store = h.store AND o.file_id = c.file_id
                WHERE h.direction NOT IN ('row', 'collection', 'points') AND NOT o.confirmed) AS held
  FROM ` + from + ` c
  LEFT JOIN LATERAL (SELECT made_at FROM pruned.candidate b WHERE b.direction = 'bytes' AND b.file_id = c.file_id OFFSET 0) b ON true
 CROSS JOIN LATERAL (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) t`
}

// leftoverCandidatesSQL: nobody tells the age of a collection or a point, so that it is as
// old as it is known, and no other direction is about the same.
func leftoverCandidatesSQL(from string) string {
	return `
SELECT c.file_id, c.direction, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, true AS there,
       t.now, t.seen, t.now - t.seen AS age, t.seen + @min::float8 - t.now AS ripe,
       c.size, c.chunks, NULL::float8 AS touched, NULL::float8 AS stamp, NULL::bigint AS settled, false AS in_flight,
       NOT c.confirmed AND EXISTS (SELECT FROM pruned.hold h WHERE h.direction = c.direction AND h.store = c.store) AS held
  FROM ` + from + ` c
 CROSS JOIN LATERAL (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) n
 CROSS JOIN LATERAL (SELECT n.now, least(extract(epoch FROM c.first_seen)::float8, n.now) AS seen) t`
}

// rowlessSQL is the condition that candidate c has an id without a row, as Lock searches
// for it, or in other letters as of the last pass.
const rowlessSQL = `NOT EXISTS (SELECT FROM %s f WHERE f.id = c.file_id OFFSET 0)
   AND NOT EXISTS (SELECT FROM pruned.known_file k
                    WHERE NOT k.literal AND NOT k.is_name AND k.token = lower(c.file_id COLLATE "C") COLLATE "default" OFFSET 0)`

// candidatesSQL are the candidates of a direction that match a condition.
func candidatesSQL(d repo.Direction, where string) string {
	from := `(SELECT * FROM pruned.candidate WHERE direction = '` + string(d) + `'` + where + `)`
	switch {
	case d == repo.FromRows:
		return rowCandidatesSQL(from)
	case d.IsLeftover():
		return leftoverCandidatesSQL(from)
	}
	return listedCandidatesSQL(from)
}

// dueInSQL is how long until an event is useful.
const dueInSQL = `greatest(v.ripe, v.seen + @orphan::float8 - v.now)`

// enqueuedSQL is how long an event about the candidate has been in the queue, or NULL.
// After an hour the event counts as lost, and so does one of the future, from a clock that
// was ahead: it is published once more, which harms nothing.
const enqueuedSQL = `CASE WHEN v.now - extract(epoch FROM v.claimed_at)::float8 BETWEEN -1 AND 3600
            THEN greatest(v.now - extract(epoch FROM v.claimed_at)::float8, 1e-6) END`

// ListCandidates lists a page of a direction's candidates. Many of them may be none any more:
// it reads on until the page is full.
func (db *DB) ListCandidates(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, after string, limit int) (page []repo.Candidate, err error) {
	for read := limit; read == limit && len(page) < limit && err == nil; {
		read = 0
		err = db.eachCandidate(ctx, t, d, ages, after, limit, func(c repo.Candidate, there bool) {
			read++
			if after = c.FileID; there && len(page) < limit {
				page = append(page, c)
			}
		})
	}
	return page, pgerr.Translate(err, "list the candidates among %s", d)
}

func (db *DB) eachCandidate(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, after string, limit int, yield func(c repo.Candidate, there bool)) error {
	return db.readCandidates(ctx, t, d, ages, ` AND file_id > @after::text ORDER BY file_id LIMIT @limit::int`, pgx.NamedArgs{"after": after, "limit": limit}, yield)
}

// readCandidates calls yield with the candidates of a direction that match a condition.
func (db *DB) readCandidates(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, where string, named pgx.NamedArgs, yield func(c repo.Candidate, there bool)) error {
	sql, args := db.bindArgs(`SELECT v.file_id, v.there, v.first_seen, v.age, `+dueInSQL+`, v.size, v.chunks, v.confirmed, v.confirmed_by, v.held, coalesce(`+enqueuedSQL+`, 0)
		FROM (`+candidatesSQL(d, where)+`) v ORDER BY v.file_id`, agesArgs(ages, named))
	rows, _ := pgxTx(t).Query(ctx, sql, args...)
	c := repo.Candidate{Direction: d}
	var there bool
	var age, due, claimed float64
	_, err := pgx.ForEachRow(rows, []any{&c.FileID, &there, &c.Since, &age, &due, &c.Size, &c.Chunks, &c.Confirmed, &c.ConfirmedBy, &c.Held, &claimed}, func() error {
		c.Age, c.DueIn, c.EnqueuedFor = toDuration(age), toDuration(due), toDuration(claimed)
		yield(c, there)
		return nil
	})
	return err
}

// awaitedSQL are the candidates that become due by themselves: no event about them is in
// the queue (see enqueuedSQL), and no hold of their own holds them.
const awaitedSQL = ` AND coalesce(claimed_at NOT BETWEEN statement_timestamp() - interval '1 hour' AND statement_timestamp() + interval '1 second', true)
   AND (confirmed OR NOT EXISTS (SELECT FROM pruned.hold h WHERE h.direction = candidate.direction AND (h.direction = 'row' OR h.store = candidate.store)))`

// soonestSQL is in how long a candidate can be due at the soonest, by what is known of it
// without its row.
const soonestSQL = `extract(epoch FROM greatest(least(first_seen, statement_timestamp()) + make_interval(secs => @orphan::float8),
       made_at + make_interval(secs => @min::float8)) - statement_timestamp())::float8`

// nextSQL is in how long the first of some candidates is due.
func nextSQL(d repo.Direction, where string) string {
	return `SELECT min(` + dueInSQL + `) FILTER (WHERE v.there AND NOT v.held) FROM (` + candidatesSQL(d, where) + `) v`
}

// NextCandidate returns how long until the first candidate is due. It leaves out held
// ones: they become due when somebody confirms them.
func (db *DB) NextCandidate(ctx context.Context, ages repo.Ages) (in time.Duration, found bool, err error) {
	for _, d := range []repo.Direction{repo.FromRows, repo.FromVectors, repo.FromBytes, repo.FromCollections, repo.FromPoints} {
		next, err := db.nextOf(ctx, d, ages)
		if err != nil {
			return 0, false, pgerr.Translate(err, "look for the next candidate that becomes due")
		}
		if next != nil && (!found || toDuration(*next) < in) {
			in, found = toDuration(*next), true
		}
	}
	return in, found, nil
}

// nextOf looks at those that can be due first, and at all only where others may be before
// them: to see when one is due its row is read, text and all.
func (db *DB) nextOf(ctx context.Context, d repo.Direction, ages repo.Ages) (next *float64, err error) {
	var soonest float64 // of those that are left out
	var read int
	first := awaitedSQL + ` ORDER BY ` + soonestSQL + ` LIMIT @first::int`
	more := pgx.NamedArgs{"first": repo.FirstDue, "direction": string(d)}
	sql, args := db.bindArgs(`SELECT count(*), coalesce(max(soonest), 0) FROM (SELECT `+soonestSQL+` AS soonest FROM pruned.candidate
		WHERE direction = @direction::text`+first+`) c`, agesArgs(ages, more))
	if err := db.readRow(ctx, sql, args, &read, &soonest); err != nil || read == 0 {
		return nil, err
	}
	sql, args = db.bindArgs(nextSQL(d, first), agesArgs(ages, more))
	err = db.readRow(ctx, sql, args, &next)
	if err != nil || read < repo.FirstDue || next != nil && *next <= max(soonest, 0) {
		return next, err
	}
	sql, args = db.bindArgs(nextSQL(d, awaitedSQL), agesArgs(ages, nil))
	return next, db.readRow(ctx, sql, args, &next)
}

// MarkEnqueued records that the queue has stored events about these candidates.
func (db *DB) MarkEnqueued(ctx context.Context, t repo.Tx, d repo.Direction, ids []string) error {
	_, err := pgxTx(t).Exec(ctx, `UPDATE pruned.candidate SET claimed_at = clock_timestamp()
		WHERE direction = $1::text AND file_id = ANY ($2::text[])`, string(d), ids)
	return pgerr.Translate(err, "note that %d candidates are in the queue", len(ids))
}

// SetGrace records since when files, or what else a direction is about, are known to be
// unreferenced, and deletes that record of others. A time from a clock that was ahead
// starts anew.
func (db *DB) SetGrace(ctx context.Context, t repo.Tx, d repo.Direction, start, end []string) error {
	batch := &pgx.Batch{}
	if len(start) > 0 {
		batch.Queue(`UPDATE pruned.candidate SET first_seen = clock_timestamp()
			WHERE direction = $2::text AND file_id = ANY ($1::text[]) AND first_seen > clock_timestamp()`, start, string(d))
		batch.Queue(`INSERT INTO pruned.candidate (file_id, direction)
			SELECT id, $2::text FROM unnest($1::text[]) id ON CONFLICT DO NOTHING`, start, string(d))
	}
	if len(end) > 0 {
		batch.Queue(`DELETE FROM pruned.candidate WHERE direction = $2::text AND file_id = ANY ($1::text[])`, end, string(d))
	}
	return pgerr.Translate(pgxTx(t).SendBatch(ctx, batch).Close(), "record that %d candidates are unreferenced, and %d are not", len(start), len(end))
}
