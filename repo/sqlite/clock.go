package sqlite

import (
	"context"
	"time"

	"pruned/repo"
)

// StartClocks notes since when files are known to be unreferenced. One that a clock
// started which was ahead starts anew.
func (db *DB) StartClocks(ctx context.Context, t repo.Tx, ids []string) error {
	now := micros(time.Now())
	_, err := sqliteTx(t).write(ctx, `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at)
		SELECT value, 'row', ?2, ?2 FROM json_each(?1) WHERE true
		ON CONFLICT (direction, file_id) DO UPDATE SET first_seen = excluded.first_seen WHERE first_seen > excluded.first_seen`, list(ids), now)
	return translate(err, "note %d candidates", len(ids))
}

// StopClocks forgets it.
func (db *DB) StopClocks(ctx context.Context, t repo.Tx, ids []string) error {
	_, err := sqliteTx(t).write(ctx, `DELETE FROM pruned_candidate
		WHERE direction = 'row' AND file_id IN (SELECT value FROM json_each(?1))`, list(ids))
	return translate(err, "forget %d candidates", len(ids))
}
