package sqlite

import (
	"context"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// Times of ours are microseconds since 1970, those of table file seconds.
func micros(t time.Time) int64     { return t.UnixMicro() }
func fromMicros(n int64) time.Time { return time.UnixMicro(n) }
func epoch(t time.Time) float64    { return float64(t.UnixMicro()) / 1e6 }

// notAfter: what happened in the future happened now. The clock was ahead, or has
// been put back.
func notAfter(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

// dates are those of a file: when it was made, and last touched.
type dates struct{ made, touched time.Time }

// datesOf are the dates of a row, from two times as it has them. A row without a time
// that can be is as old as it is known.
func datesOf(made, changed *float64, known, now time.Time) dates {
	at := func(value *float64) (t time.Time, ok bool) {
		if value == nil {
			return t, false
		}
		s, ok := openwebui.SecondsOf(*value, epoch(now))
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
		d.made = notAfter(fromMicros(int64(*made)), now)
	}
	if bytes != nil {
		d.touched = notAfter(fromMicros(int64(*bytes)), now)
	}
	return d
}

// delaySQL is how long a tombstone waits at most. Of one that was written before
// that was noted it is not known; no setting is longer than 30 days.
const delaySQL = `coalesce(delay, 2592000000000)`

// mending are statements by which what happened in the future happened now: the
// clock was ahead, or has been put back.
func mending(now time.Time) []statement {
	var list []statement
	for _, sql := range []string{
		`UPDATE pruned_candidate SET first_seen = min(first_seen, ?1), seen_at = min(seen_at, ?1), made_at = min(made_at, ?1),
		        claimed_at = CASE WHEN claimed_at <= ?1 THEN claimed_at END
		  WHERE max(first_seen, seen_at, coalesce(made_at, 0), coalesce(claimed_at, 0)) > ?1`,
		`UPDATE pruned_hold SET at = min(at, ?1), shown_at = min(shown_at, ?1) WHERE max(at, shown_at) > ?1`,
	} {
		list = append(list, statement{sql, []any{micros(now)}})
	}
	return list
}

// dueAtSQL is when a tombstone is due; ?1 is the time. A wait that is longer than its
// length was begun by a clock that was ahead, and begins now; where that clock was ahead
// by more than a day, nobody knows for how long it has waited: it counts as over.
const dueAtSQL = `CASE WHEN due_at > ?1 + ` + delaySQL + ` + 86400000000 THEN ?1 ELSE min(due_at, ?1 + ` + delaySQL + `) END`

// mendTombstones notes it. The write lock is taken only where there is one.
func (db *DB) mendTombstones(ctx context.Context, t *tx, now time.Time) error {
	const ahead = ` WHERE due_at > ?1 + ` + delaySQL + ` OR made_at > ?1`
	var some bool
	if _, err := one(ctx, t.sees(), `SELECT EXISTS (SELECT 1 FROM pruned_tombstone`+ahead+`)`, []any{micros(now)}, &some); err != nil || !some {
		return translate(err, "look at the times of tombstones")
	}
	_, err := t.write(ctx, `UPDATE pruned_tombstone SET due_at = `+dueAtSQL+`, made_at = min(made_at, ?1)`+ahead, micros(now))
	return translate(err, "mend the times of tombstones")
}

// rowsMissingSQL says whether rows of table file are missing that pruned did not
// delete: more than half of those that were beside the last tombstone when it was
// written, or all. It holds for a day, and as long as the table is empty: rows that
// the application deleted are missing as well. ?1 is the identity, ?2 the time.
const rowsMissingSQL = `
SELECT count(*) FILTER (WHERE lost) * 2 > count(*) AND (max(fresh) OR NOT EXISTS (SELECT 1 FROM file))
  FROM (SELECT coalesce(t.made_at, 0) > ?2 - 86400000000 - ` + delaySQL + ` AS fresh,
               NOT EXISTS (SELECT 1 FROM file f WHERE f.id = b.value)
               AND NOT EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = b.value AND l.outcome = 'deleted') AS lost
          FROM (SELECT * FROM pruned_tombstone WHERE identity = ?1 ORDER BY seq DESC LIMIT 1) t, json_each(t.beside) b)`

func (db *DB) rowsMissing(ctx context.Context, q querier) error {
	var missing *bool
	if _, err := one(ctx, q, rowsMissingSQL, []any{db.identity.Key, micros(time.Now())}, &missing); err != nil {
		return translate(err, "look for rows that are missing")
	}
	if missing != nil && *missing {
		return &repo.Error{Kind: repo.Environment, Doing: "carry out tombstones", Err: repo.ErrRowsMissing}
	}
	return nil
}

// examineTimes tells of what the times of table file count.
func (db *DB) examineTimes(ctx context.Context) (repo.Finding, error) {
	c, u := repo.Times{Column: "created_at"}, repo.Times{Column: "updated_at"}
	_, err := one(ctx, db.pool, `SELECT `+openwebui.TimesSQL(when("created_at"), "?1")+`, `+openwebui.TimesSQL(when("updated_at"), "?1")+` FROM file`,
		[]any{epoch(time.Now())}, &c.None, &c.Millis, &c.Micros, &c.Nanos, &c.Future, &c.Together,
		&u.None, &u.Millis, &u.Micros, &u.Nanos, &u.Future, &u.Together)
	return repo.ExamineTimes(c, u), translate(err, "look at the times of table file")
}
