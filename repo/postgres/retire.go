package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// Retire forgets what is older than keep. Candidates that are rows are forgotten
// by every sweep that does not find them.
func (db *DB) Retire(ctx context.Context, keep time.Duration) error {
	if keep <= 0 {
		return nil
	}
	return db.inNewTx(ctx, passTimeout, func(t repo.Tx) error {
		for _, sql := range []string{
			`DELETE FROM pruned.ledger WHERE at < clock_timestamp() - make_interval(secs => $1::float8)`,
			`DELETE FROM pruned.candidate WHERE direction <> 'row' AND seen_at < clock_timestamp() - make_interval(secs => $1::float8)`,
		} {
			if _, err := t.Exec(ctx, sql, keep.Seconds()); err != nil {
				return pgerr.Translate(err, "forget what is older than %s", keep)
			}
		}
		return nil
	})
}

// resetCandidates forgets what the candidates say that an index is needed for, or
// the queue of this installation.
func resetCandidates(ctx context.Context, t pgx.Tx) error {
	_, err := t.Exec(ctx, `DELETE FROM pruned.candidate WHERE direction = 'row'`)
	if err == nil {
		_, err = t.Exec(ctx, `UPDATE pruned.candidate SET confirmed = false, claimed_at = NULL WHERE confirmed OR claimed_at IS NOT NULL`)
	}
	return pgerr.Translate(err, "forget candidates")
}
