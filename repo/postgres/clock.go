package postgres

import (
	"context"

	"pruned/repo"
)

// StartClocks notes since when files are known to be unreferenced.
func (db *DB) StartClocks(ctx context.Context, t repo.Tx, ids []string) error {
	_, err := pgxTx(t).Exec(ctx, `INSERT INTO pruned.candidate (file_id, direction)
		SELECT id, 'row' FROM unnest($1::text[]) id ON CONFLICT DO NOTHING`, ids)
	return translate(err, "note %d candidates", len(ids))
}

// StopClocks forgets it.
func (db *DB) StopClocks(ctx context.Context, t repo.Tx, ids []string) error {
	_, err := pgxTx(t).Exec(ctx, `DELETE FROM pruned.candidate WHERE direction = 'row' AND file_id = ANY ($1::text[])`, ids)
	return translate(err, "forget %d candidates", len(ids))
}
