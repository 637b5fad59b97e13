package sqlite

import (
	"context"
	"time"

	"pruned/repo"
)

// SetGrace notes since when files are known to be unreferenced, and forgets it of others.
// A time from a clock that was ahead starts anew.
func (db *DB) SetGrace(ctx context.Context, t repo.Tx, start, clear []string) error {
	now := micros(time.Now())
	if len(start) > 0 {
		_, err := sqliteTx(t).write(ctx, `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at)
			SELECT value, 'row', ?2, ?2 FROM json_each(?1) WHERE true
			ON CONFLICT (direction, file_id) DO UPDATE SET first_seen = excluded.first_seen WHERE first_seen > excluded.first_seen`, list(start), now)
		if err != nil {
			return translate(err, "note %d candidates", len(start))
		}
	}
	if len(clear) == 0 {
		return nil
	}
	_, err := sqliteTx(t).write(ctx, `DELETE FROM pruned_candidate
		WHERE direction = 'row' AND file_id IN (SELECT value FROM json_each(?1))`, list(clear))
	return translate(err, "forget %d candidates", len(clear))
}
