package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"pruned/repo"
)

// lockSQL reads rows. data holds the whole extracted text: its status is read only
// where it matters, in rows that were touched lately. The path lies behind it, so
// that this reads what a delete has to read anyway.
var lockSQL = `
SELECT f.id, coalesce(f.path, ''),
       ` + createdSQL + `,
       ` + updatedSQL + `,
       ` + inFlightSQL + `, c.first_seen
  FROM file f LEFT JOIN pruned_candidate c ON c.file_id = f.id AND c.direction = 'row'
 WHERE f.id IN (SELECT value FROM json_each(@ids))
 ORDER BY f.id`

// Lock is step 1 of the transaction: from here on nobody else writes. What is
// there is never busy.
func (db *DB) Lock(ctx context.Context, t repo.Tx, ids []string, ages repo.Ages) (locked repo.Locked, err error) {
	tx := sqliteTx(t)
	// With the index brought up to date before the lock is taken, a look need not
	// give the lock up again.
	if err := tx.lockForSearch(ctx); err != nil && !errors.Is(err, ErrIncomplete) {
		return locked, err
	}
	if err := tx.lockWrite(ctx); err != nil {
		return locked, err
	}
	locked.Since = db.lock.taken
	now := time.Now()
	var id, path string
	var made, changed *float64
	var inFlight bool
	var seen *int64
	there := map[string]bool{}
	err = queryEach(ctx, db.writer, lockSQL, []any{sql.Named("ids", jsonList(ids)), sql.Named("pending_since", float64(now.Add(-ages.Pending).Unix()))},
		[]any{&id, &path, &made, &changed, &inFlight, &seen}, func() error {
			f := repo.File{ID: id, Path: path}
			since := now
			// A clock that was ahead started none.
			if seen != nil && !fromMicros(*seen).After(now) {
				since = fromMicros(*seen)
				f.HasGrace, f.UnreferencedFor = true, now.Sub(since)
			}
			w := rowDates(made, changed, since, now)
			f.Age, f.EligibleIn = now.Sub(w.made), w.made.Add(ages.Min).Sub(now)
			if left := w.touched.Add(ages.Pending).Sub(now); inFlight && left > 0 {
				f.InFlight, f.EligibleIn = true, max(f.EligibleIn, left)
			}
			locked.Files = append(locked.Files, f)
			there[id] = true
			return nil
		})
	if err != nil {
		return locked, translate(err, "lock %d rows of table file", len(ids))
	}
	for _, id := range ids {
		if !there[id] {
			locked.Gone = append(locked.Gone, id)
		}
	}
	if len(locked.Gone) < len(ids) {
		return locked, nil
	}
	return locked, db.deferMissing(ctx, &locked)
}

// deferMissing takes for doubtful what is gone, where table file is empty.
func (db *DB) deferMissing(ctx context.Context, locked *repo.Locked) error {
	var filled bool
	if _, err := queryOne(ctx, db.writer, `SELECT EXISTS (SELECT 1 FROM file)`, nil, &filled); err != nil || filled {
		return translate(err, "look whether table file is empty")
	}
	confirmed, err := queryColumn[string](ctx, db.writer, `SELECT value FROM json_each(?1) WHERE EXISTS
		(SELECT 1 FROM pruned_candidate WHERE direction IN ('vector', 'bytes') AND file_id = value AND confirmed)`, jsonList(locked.Gone))
	if err != nil {
		return translate(err, "look for what somebody let go")
	}
	locked.DeferMissing(confirmed)
	return nil
}
