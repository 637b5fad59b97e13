package sqlite

import (
	"context"
	"fmt"
	"time"

	"pruned/repo"
)

// ConfirmHold approves what was there when the last sweep showed it, and nothing that
// was found since, and binds the stores. What else is held under the id stays so.
func (db *DB) ConfirmHold(ctx context.Context, t repo.Tx, id string, only []repo.Direction) ([]repo.Hold, error) {
	tx, these := sqliteTx(t), jsonList(only)
	const where = `id = ?1 AND (?2 = '[]' OR direction IN (SELECT value FROM json_each(?2)))`
	held, err := listHolds(ctx, sweepView{tx}, `WHERE `+where, id, these)
	if err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("confirm %q", id), Err: repo.ErrNoHold}
	}
	return held, tx.deferred.enqueue(ctx,
		statement{`INSERT INTO pruned_binding (store, identity, at) SELECT DISTINCT store, ?3, ?4 FROM pruned_hold WHERE ` + where + ` ON CONFLICT DO NOTHING`,
			[]any{id, these, db.identity.Key, toMicros(time.Now())}},
		statement{`UPDATE pruned_candidate SET confirmed = 1, confirmed_by = h.id FROM (SELECT * FROM pruned_hold WHERE ` + where + `) h
			WHERE ` + shownSQL, []any{id, these}},
		noteConfirmation(id),
		statement{`DELETE FROM pruned_hold WHERE ` + where, []any{id, these}},
		keepRestHeld(id))
}

// shownSQL is the condition of the candidates that hold h holds.
const shownSQL = `pruned_candidate.direction = h.direction AND (h.direction = 'row' OR pruned_candidate.store = h.store) AND shown AND NOT confirmed`

// keepRestHeld keeps what is still held under an id so until it is confirmed as well.
func keepRestHeld(id string) statement {
	return statement{`UPDATE pruned_hold SET partly = 1 WHERE id = ?1`, []any{id}}
}

func noteConfirmation(id string) statement {
	return statement{`INSERT INTO pruned_confirmation (id, at) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET at = excluded.at`, []any{id, toMicros(time.Now())}}
}

// ConfirmCandidates confirms some candidates of a hold that were shown.
func (db *DB) ConfirmCandidates(ctx context.Context, t repo.Tx, h repo.Hold, ids []string) error {
	const where = `id = ?1 AND direction = ?2 AND store = ?3`
	args := []any{h.ID, string(h.Direction), h.Store}
	return sqliteTx(t).deferred.enqueue(ctx,
		keepRestHeld(h.ID),
		statement{`INSERT INTO pruned_binding (store, identity, at) SELECT store, ?4, ?5 FROM pruned_hold WHERE ` + where + ` ON CONFLICT DO NOTHING`,
			append(args[:3:3], db.identity.Key, toMicros(time.Now()))},
		statement{`UPDATE pruned_candidate SET confirmed = 1, confirmed_by = h.id FROM (SELECT * FROM pruned_hold WHERE ` + where + `) h
			WHERE ` + shownSQL + ` AND file_id IN (SELECT value FROM json_each(?4))`, append(args[:3:3], jsonList(ids))},
		noteConfirmation(h.ID))
}

// CountUnconfirmed counts what stays held of a direction.
func (db *DB) CountUnconfirmed(ctx context.Context, t repo.Tx, d repo.Direction) (n int64, err error) {
	_, err = queryOne(ctx, sweepView{sqliteTx(t)}, `SELECT count(*) FROM pruned_hold h JOIN pruned_candidate ON `+shownSQL+`
		WHERE h.direction = ?1 AND h.partly`, []any{string(d)}, &n)
	return n, translate(err, "count what stays held among %s", d)
}

// FindConfirmation reads when a held sweep was confirmed.
func (db *DB) FindConfirmation(ctx context.Context, id string) (at time.Time, found bool, err error) {
	var micros int64
	found, err = queryOne(ctx, db.pool, `SELECT at FROM pruned_confirmation WHERE id = ?1`, []any{id}, &micros)
	return fromMicros(micros), found, translate(err, "look for the confirmation of %q", id)
}
