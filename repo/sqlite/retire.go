package sqlite

import (
	"context"
	"time"

	"pruned/repo"
)

// Retire forgets what is older than keep, a little at a time. Candidates that are
// rows are forgotten by every sweep that does not find them.
func (db *DB) Retire(ctx context.Context, keep time.Duration) error {
	if keep <= 0 {
		return nil
	}
	before := micros(time.Now().Add(-keep))
	// What happened in the future, by a clock that was ahead, happened now.
	if err := db.short(ctx, []statement{{`UPDATE pruned_ledger SET at = ?1 WHERE at > ?1`, []any{micros(time.Now())}}}); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM pruned_ledger WHERE seq IN (SELECT seq FROM pruned_ledger WHERE at < ?1 LIMIT ?2)`,
		`DELETE FROM pruned_candidate WHERE rowid IN (SELECT rowid FROM pruned_candidate WHERE direction <> 'row' AND seen_at < ?1 LIMIT ?2)`,
	} {
		for n := int64(markPage); n == markPage; {
			err := db.InTx(ctx, nil, func(t repo.Tx) (err error) {
				n, err = sqliteTx(t).write(ctx, query, before, markPage)
				return translate(err, "forget what is older than %s", keep)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
