package sqlite

import (
	"context"
	"fmt"
	"time"

	"pruned/repo"
)

// ConfirmHold approves what was there when the last sweep showed it, and nothing that
// was found since, and binds the stores.
func (db *DB) ConfirmHold(ctx context.Context, t repo.Tx, id string) ([]repo.Hold, error) {
	tx := sqliteTx(t)
	held, err := listHolds(ctx, sweepView{tx}, `WHERE id = ?1`, id)
	if err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("confirm %q", id), Err: repo.ErrNoHold}
	}
	now := toMicros(time.Now())
	return held, tx.deferred.enqueue(ctx,
		statement{`INSERT INTO pruned_binding (store, identity, at) SELECT DISTINCT store, ?2, ?3 FROM pruned_hold WHERE id = ?1 ON CONFLICT DO NOTHING`,
			[]any{id, db.identity.Key, now}},
		statement{`UPDATE pruned_candidate SET confirmed = 1, confirmed_by = h.id FROM pruned_hold h
			WHERE h.id = ?1 AND pruned_candidate.direction = h.direction
			  AND (h.direction = 'row' OR pruned_candidate.store = h.store) AND shown AND NOT confirmed`, []any{id}},
		statement{`INSERT INTO pruned_confirmation (id, at) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET at = excluded.at`, []any{id, now}},
		statement{`DELETE FROM pruned_hold WHERE id = ?1`, []any{id}})
}

// FindConfirmation reads when a held sweep was confirmed.
func (db *DB) FindConfirmation(ctx context.Context, id string) (at time.Time, found bool, err error) {
	var micros int64
	found, err = queryOne(ctx, db.pool, `SELECT at FROM pruned_confirmation WHERE id = ?1`, []any{id}, &micros)
	return fromMicros(micros), found, translate(err, "look for the confirmation of %q", id)
}
