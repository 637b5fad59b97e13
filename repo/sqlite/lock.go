package sqlite

import (
	"context"
	"time"

	"pruned/repo"
)

// lockSQL reads rows. data holds the whole extracted text: its status is read only
// where it matters, in rows that were touched lately. The path lies behind it, so
// that this reads what a delete has to read anyway. ?2 is the earliest time in
// seconds at which a file that is in flight may have been touched.
var lockSQL = `
SELECT f.id, coalesce(f.path, ''), ` + when("f.created_at") + `, ` + touched + `, ` + inFlight + `, c.first_seen
  FROM file f LEFT JOIN pruned_candidate c ON c.file_id = f.id AND c.direction = 'row'
 WHERE f.id IN (SELECT value FROM json_each(?1))
 ORDER BY f.id`

// Lock is step 1 of the transaction: from here on nobody else writes. What is
// there is never busy.
func (db *DB) Lock(ctx context.Context, t repo.Tx, ids []string, ages repo.Ages) (locked repo.Locked, err error) {
	tx := sqliteTx(t)
	// With the index brought up to date before the lock is taken, a look need not
	// let go of it.
	if err := tx.beginLooking(ctx); err != nil && !isIncomplete(err) {
		return locked, err
	}
	if err := tx.begin(ctx); err != nil {
		return locked, err
	}
	locked.Since = db.lock.taken
	now := time.Now()
	var id, path string
	var made, touched *float64
	var inFlight bool
	var seen *int64
	there := map[string]bool{}
	err = each(ctx, db.writer, lockSQL, []any{list(ids), float64(now.Add(-ages.Pending).Unix())},
		[]any{&id, &path, &made, &touched, &inFlight, &seen}, func() error {
			f := repo.File{ID: id, Path: path, InFlight: inFlight}
			since := now // of a row without a date
			if seen != nil {
				since = fromMicros(*seen)
				f.Clocked, f.Orphan = true, now.Sub(since)
			}
			born := epoch(since)
			if made != nil {
				born = *made
			}
			f.Age = seconds(epoch(now) - born)
			f.Ripe = seconds(born + ages.Min.Seconds() - epoch(now))
			if inFlight {
				last := epoch(since)
				if touched != nil {
					last = *touched
				}
				f.Ripe = max(f.Ripe, seconds(last+ages.Pending.Seconds()-epoch(now)))
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
	return locked, db.doubt(ctx, &locked)
}

// doubt takes for doubtful what is gone, where table file is empty.
func (db *DB) doubt(ctx context.Context, locked *repo.Locked) error {
	var filled bool
	if _, err := one(ctx, db.writer, `SELECT EXISTS (SELECT 1 FROM file)`, nil, &filled); err != nil || filled {
		return translate(err, "look whether table file is empty")
	}
	letGo := map[string]bool{}
	var id string
	err := each(ctx, db.writer, `SELECT value FROM json_each(?1) WHERE EXISTS
		(SELECT 1 FROM pruned_candidate WHERE direction IN ('vector', 'bytes') AND file_id = value AND confirmed)`,
		[]any{list(locked.Gone)}, []any{&id}, func() error {
			letGo[id] = true
			return nil
		})
	if err != nil {
		return translate(err, "look for what somebody let go")
	}
	locked.Doubt(letGo)
	return nil
}

func epoch(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// Times of ours are microseconds since 1970.
func micros(t time.Time) int64     { return t.UnixMicro() }
func fromMicros(n int64) time.Time { return time.UnixMicro(n) }

func seconds(s float64) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	switch limit := most.Seconds(); {
	case s > limit:
		return most
	case s < -limit:
		return -most
	}
	return time.Duration(s * float64(time.Second))
}
