package postgres

import (
	"context"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// StartClocks notes since when files are known to be unreferenced. One that a clock
// started which was ahead starts anew.
func (db *DB) StartClocks(ctx context.Context, t repo.Tx, ids []string) error {
	_, err := pgxTx(t).Exec(ctx, `UPDATE pruned.candidate SET first_seen = clock_timestamp()
		WHERE direction = 'row' AND file_id = ANY ($1::text[]) AND first_seen > clock_timestamp()`, ids)
	if err != nil {
		return pgerr.Translate(err, "mend the times of %d candidates", len(ids))
	}
	_, err = pgxTx(t).Exec(ctx, `INSERT INTO pruned.candidate (file_id, direction)
		SELECT id, 'row' FROM unnest($1::text[]) id ON CONFLICT DO NOTHING`, ids)
	return pgerr.Translate(err, "note %d candidates", len(ids))
}

// StopClocks forgets it.
func (db *DB) StopClocks(ctx context.Context, t repo.Tx, ids []string) error {
	_, err := pgxTx(t).Exec(ctx, `DELETE FROM pruned.candidate WHERE direction = 'row' AND file_id = ANY ($1::text[])`, ids)
	return pgerr.Translate(err, "forget %d candidates", len(ids))
}
