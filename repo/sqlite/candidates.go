package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"pruned/repo"
)

// rowsSQL are the candidates among rows. The time at which a row was touched lies
// behind its text, which this reads as well.
var rowsSQL = `
SELECT c.file_id, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at,
       ` + createdSQL + `,
       ` + updatedSQL + `,
       ` + inFlightSQL + `,
       ` + sizeSQL + `, c.chunks, NOT c.confirmed AND EXISTS (SELECT 1 FROM pruned_hold WHERE direction = 'row')
  FROM pruned_candidate c JOIN file f ON f.id = c.file_id
 WHERE c.direction = 'row' AND %s
 ORDER BY c.file_id LIMIT @limit`

// listedSQL are those in a store. An event is about everything of an id, so that young
// bytes make it young, and a hold holds it, wherever it was found.
const listedSQL = `
SELECT c.file_id, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, c.made_at, b.made_at, 0, c.size, c.chunks,
       EXISTS (SELECT 1 FROM pruned_hold h CROSS JOIN pruned_candidate o ON o.direction = h.direction AND o.store = h.store AND o.file_id = c.file_id
                WHERE h.direction NOT IN ('row', 'collection', 'points') AND NOT o.confirmed)
  FROM pruned_candidate c LEFT JOIN pruned_candidate b ON b.direction = 'bytes' AND b.file_id = c.file_id
 WHERE c.direction = '%[1]s' AND %[2]s AND ` + noRowSQL + `
 ORDER BY c.file_id LIMIT @limit`

// leftoversSQL: nobody tells the age of a collection or a point, and no other direction is
// about the same.
const leftoversSQL = `
SELECT c.file_id, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, NULL, NULL, 0, c.size, c.chunks,
       NOT c.confirmed AND EXISTS (SELECT 1 FROM pruned_hold h WHERE h.direction = c.direction AND h.store = c.store)
  FROM pruned_candidate c
 WHERE c.direction = '%[1]s' AND %[2]s
 ORDER BY c.file_id LIMIT @limit`

// candidatesSQL are the candidates of a direction that match a condition.
func candidatesSQL(d repo.Direction, where string) string {
	switch {
	case d == repo.FromRows:
		return fmt.Sprintf(rowsSQL, where)
	case d.IsLeftover():
		return fmt.Sprintf(leftoversSQL, d, where)
	}
	return fmt.Sprintf(listedSQL, d, where)
}

// eventLost is how long an event may be in the queue before it is taken for lost and
// published once more, which does no harm.
const eventLost = time.Hour

// eachCandidate calls yield with up to most candidates of a direction after an id.
func (db *DB) eachCandidate(ctx context.Context, q querier, d repo.Direction, ages repo.Ages, after string, most int,
	yield func(c repo.Candidate, ripe time.Duration)) error {
	return db.readCandidates(ctx, q, d, ages, `c.file_id > @after`, []any{sql.Named("after", after), sql.Named("limit", most)}, yield)
}

// readCandidates calls yield with the candidates of a direction that match a condition, in
// the order of their ids, and how long until each is ripe: old enough, and no longer in
// flight, as Lock and the judge measure it.
func (db *DB) readCandidates(ctx context.Context, q querier, d repo.Direction, ages repo.Ages, where string, args []any,
	yield func(c repo.Candidate, ripe time.Duration)) error {
	now := time.Now()
	args = append(args, sql.Named("pending_since", toSeconds(now.Add(-ages.Pending))))
	var id, by string
	var seen, size, chunks int64
	var confirmed, inFlight, held bool
	var claimed *int64
	var made, changed *float64
	err := queryEach(ctx, q, candidatesSQL(d, where), args,
		[]any{&id, &seen, &confirmed, &by, &claimed, &made, &changed, &inFlight, &size, &chunks, &held}, func() error {
			c := repo.Candidate{FileID: id, Direction: d, Since: fromMicros(seen), Size: size, Chunks: chunks, Confirmed: confirmed, ConfirmedBy: by, Held: held}
			since := clampToNow(c.Since, now)
			w := listedDates(made, changed, since, now)
			if d == repo.FromRows {
				w = rowDates(made, changed, since, now)
			}
			c.Age = now.Sub(w.made)
			ripe := w.made.Add(ages.Min).Sub(now)
			switch {
			case d.IsLeftover(): // as old as it is known
			case d != repo.FromRows && changed == nil:
				ripe = 0 // vectors alone
			case d != repo.FromRows:
				ripe = w.touched.Add(ages.Min).Sub(now)
			case inFlight:
				ripe = max(ripe, w.touched.Add(ages.Pending).Sub(now))
			}
			c.DueIn = max(ripe, ages.Orphan-now.Sub(since))
			if claimed != nil {
				// One of the future, from a clock that was ahead, is lost as well.
				if age := now.Sub(fromMicros(*claimed)); age < eventLost && age > -time.Second {
					c.EnqueuedFor = max(age, time.Microsecond)
				}
			}
			yield(c, ripe)
			return nil
		})
	return translate(err, "list the candidates among %s", d)
}

// ListCandidates lists a page of a direction's candidates.
func (db *DB) ListCandidates(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, after string, most int) (page []repo.Candidate, err error) {
	err = db.eachCandidate(ctx, sweepView{sqliteTx(t)}, d, ages, after, most, func(c repo.Candidate, _ time.Duration) { page = append(page, c) })
	return page, err
}

// CountCandidates counts a direction's candidates.
func (db *DB) CountCandidates(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, listed int64) (census repo.CandidateCount, err error) {
	q := sweepView{sqliteTx(t)}
	census.Total = listed
	if d == repo.FromRows {
		if _, err := queryOne(ctx, q, `SELECT count(*) FROM file`, nil, &census.Total); err != nil {
			return census, translate(err, "count the files")
		}
	}
	err = db.eachCandidate(ctx, q, d, ages, "", -1, func(c repo.Candidate, ripe time.Duration) {
		if ripe <= 0 && !c.Confirmed {
			census.Found++
		}
	})
	return census, err
}

// awaitedSQL are the candidates of a direction that become due by themselves: no event about
// them is in the queue (see eventLost), and no hold of their own holds them. The first are
// those that can be due at the soonest, by what is known of them without their rows.
const awaitedSQL = `SELECT c.file_id, max(min(c.first_seen, @now) + @orphan, coalesce(c.made_at, 0) + @min) AS soonest FROM pruned_candidate c
 WHERE c.direction = @direction AND coalesce(c.claimed_at NOT BETWEEN @lost AND @ahead, 1)
   AND (c.confirmed OR NOT EXISTS (SELECT 1 FROM pruned_hold h WHERE h.direction = c.direction AND (h.direction = 'row' OR h.store = c.store)))
 ORDER BY soonest LIMIT @first`

// NextCandidate leaves out what is held: it becomes due when a person confirms it.
func (db *DB) NextCandidate(ctx context.Context, ages repo.Ages) (in time.Duration, found bool, err error) {
	for _, d := range []repo.Direction{repo.FromRows, repo.FromVectors, repo.FromBytes, repo.FromCollections, repo.FromPoints} {
		next, is, err := db.nextOf(ctx, d, ages)
		if err != nil {
			return 0, false, err
		}
		if is && (!found || next < in) {
			in, found = next, true
		}
	}
	return in, found, nil
}

// nextOf looks at those that can be due first, and at all only where others may be before
// them: to see when one is due its row is read, text and all.
func (db *DB) nextOf(ctx context.Context, d repo.Direction, ages repo.Ages) (in time.Duration, found bool, err error) {
	now := time.Now()
	args := []any{sql.Named("direction", string(d)), sql.Named("now", toMicros(now)), sql.Named("lost", toMicros(now.Add(-eventLost))), sql.Named("ahead", toMicros(now.Add(time.Second))),
		sql.Named("orphan", ages.Orphan.Microseconds()), sql.Named("min", ages.Min.Microseconds()), sql.Named("first", repo.FirstDue)}
	var read, soonest int64 // of those that are left out
	if _, err := queryOne(ctx, db.pool, `SELECT count(*), coalesce(max(soonest), 0) FROM (`+awaitedSQL+`)`, args, &read, &soonest); err != nil || read == 0 {
		return 0, false, translate(err, "look for the next candidate among %s", d)
	}
	in, found, err = db.firstDue(ctx, d, ages, args)
	if err != nil || read < repo.FirstDue || found && in <= max(fromMicros(soonest).Sub(now), 0) {
		return in, found, err
	}
	args[len(args)-1] = sql.Named("first", -1)
	return db.firstDue(ctx, d, ages, args)
}

// firstDue is in how long the first of some awaited candidates is due.
func (db *DB) firstDue(ctx context.Context, d repo.Direction, ages repo.Ages, awaited []any) (in time.Duration, found bool, err error) {
	err = db.readCandidates(ctx, db.pool, d, ages, `c.file_id IN (SELECT file_id FROM (`+awaitedSQL+`))`, append(awaited, sql.Named("limit", -1)),
		func(c repo.Candidate, _ time.Duration) {
			if !c.Held && (!found || c.DueIn < in) {
				in, found = c.DueIn, true
			}
		})
	return in, found, err
}

// MarkEnqueued notes since when the queue has events about these files.
func (db *DB) MarkEnqueued(ctx context.Context, t repo.Tx, d repo.Direction, ids []string) error {
	return sqliteTx(t).deferred.enqueue(ctx, statement{`UPDATE pruned_candidate SET claimed_at = ?3
		WHERE direction = ?1 AND file_id IN (SELECT value FROM json_each(?2))`, []any{string(d), jsonList(ids), toMicros(time.Now())}})
}

// checkUsers tells of a table user without a row: of memories, knowledge bases and web
// searches it says nothing then.
func checkUsers(ctx context.Context, q querier, listed int64) (why string, err error) {
	var users bool
	_, err = queryOne(ctx, q, `SELECT EXISTS (SELECT 1 FROM "user")`, nil, &users)
	if err == nil && !users && listed > 0 {
		why = "there is not a single user in the database, but the store is not empty: is it the right database?"
	}
	return why, translate(err, "look for users")
}

// CheckSanity says why nothing in the database can be believed, or nothing.
func (db *DB) CheckSanity(ctx context.Context, t repo.Tx, d repo.Direction, listed int64) (why string, err error) {
	if d.IsLeftover() {
		return checkUsers(ctx, sweepView{sqliteTx(t)}, listed)
	}
	tx := sqliteTx(t)
	q := sweepView{tx}
	var files, chats bool
	if _, err := queryOne(ctx, q, `SELECT EXISTS (SELECT 1 FROM file), EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'chat')`, nil, &files, &chats); err != nil {
		return "", translate(err, "look for files")
	}
	switch {
	case d != repo.FromRows && !files && listed > 0:
		return "there is not a single file in the database, but the store is not empty: is it the right database?", nil
	case d != repo.FromRows || !files || !chats:
		return "", nil
	}
	if _, err := queryOne(ctx, q, `SELECT EXISTS (SELECT 1 FROM chat)`, nil, &chats); err != nil || !chats {
		return "", translate(err, "look for chats")
	}
	mentioned, err := db.anyMentioned(ctx, tx, q)
	if err != nil || mentioned {
		return "", err
	}
	return "there are files and chats, but nothing in the database mentions a single file", nil
}

// anyMentioned says whether anything living mentions any file.
func (db *DB) anyMentioned(ctx context.Context, t *tx, q querier) (bool, error) {
	if !t.locked {
		if err := db.mutex.lock(ctx); err != nil {
			return false, err
		}
		defer db.mutex.unlock()
	}
	ids, err := queryColumn[string](ctx, q, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL`)
	if err != nil {
		return false, translate(err, "list the files")
	}
	for page := range slices.Chunk(ids, markPage) {
		if found, err := db.index.findLiving(ctx, q, page); err != nil || len(found) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// SetGrace notes since when files are known to be unreferenced, and forgets it of others.
// A time from a clock that was ahead starts anew.
func (db *DB) SetGrace(ctx context.Context, t repo.Tx, d repo.Direction, start, end []string) error {
	if len(start) > 0 {
		_, err := sqliteTx(t).execWrite(ctx, `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at)
			SELECT value, ?3, ?2, ?2 FROM json_each(?1) WHERE true
			ON CONFLICT (direction, file_id) DO UPDATE SET first_seen = excluded.first_seen WHERE first_seen > excluded.first_seen`,
			jsonList(start), toMicros(time.Now()), string(d))
		if err != nil {
			return translate(err, "note %d candidates", len(start))
		}
	}
	if len(end) == 0 {
		return nil
	}
	_, err := sqliteTx(t).execWrite(ctx, `DELETE FROM pruned_candidate
		WHERE direction = ?2 AND file_id IN (SELECT value FROM json_each(?1))`, jsonList(end), string(d))
	return translate(err, "forget %d candidates", len(end))
}
