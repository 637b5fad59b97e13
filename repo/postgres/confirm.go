package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// confirmSQL confirms the candidates that existed when the last sweep showed the hold, and
// none that was found since. What else is held under its id stays so (see CountUnconfirmed):
// the reason may end with this very confirmation, which approves the store.
const confirmSQL = `
WITH held AS (DELETE FROM pruned.hold WHERE id = @id::text AND (cardinality(@only::text[]) = 0 OR direction = ANY (@only::text[])) RETURNING *),
     rest AS (UPDATE pruned.hold SET partly = true WHERE id = @id::text AND NOT (cardinality(@only::text[]) = 0 OR direction = ANY (@only::text[]))),
     bound AS (INSERT INTO pruned.binding (store, identity) SELECT DISTINCT store, @identity::text FROM held ON CONFLICT DO NOTHING),
     noted AS (INSERT INTO pruned.confirmation (id) SELECT DISTINCT id FROM held ON CONFLICT (id) DO UPDATE SET at = excluded.at),
     freed AS (UPDATE pruned.candidate c SET confirmed = true, confirmed_by = h.id FROM held h
                WHERE c.direction = h.direction AND (c.direction = 'row' OR c.store = h.store) AND c.shown AND NOT c.confirmed)
SELECT ` + holdColumns + ` FROM held ORDER BY at, direction, store`

// ConfirmHold confirms the candidates of a held sweep, and approves its stores.
func (db *DB) ConfirmHold(ctx context.Context, t repo.Tx, id string, only []repo.Direction) ([]repo.Hold, error) {
	directions := make([]string, len(only))
	for i, d := range only {
		directions[i] = string(d)
	}
	rows, _ := pgxTx(t).Query(ctx, confirmSQL, pgx.NamedArgs{"id": id, "identity": db.identity.String(), "only": directions})
	held, err := pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Hold])
	if err == nil && len(held) == 0 {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("confirm %q", id), Err: repo.ErrNoHold}
	}
	return held, pgerr.Translate(err, "confirm the held sweep %s", id)
}

// confirmSomeSQL confirms candidates of a hold that were shown, and leaves the rest held, that
// of other directions too.
const confirmSomeSQL = `
WITH parted AS (UPDATE pruned.hold SET partly = true WHERE id = @id::text RETURNING *),
     held AS (SELECT * FROM parted WHERE direction = @direction::text AND store = @store::text),
     bound AS (INSERT INTO pruned.binding (store, identity) SELECT store, @identity::text FROM held ON CONFLICT DO NOTHING),
     noted AS (INSERT INTO pruned.confirmation (id) SELECT id FROM held ON CONFLICT (id) DO UPDATE SET at = excluded.at)
UPDATE pruned.candidate c SET confirmed = true, confirmed_by = h.id FROM held h
 WHERE c.direction = h.direction AND (c.direction = 'row' OR c.store = h.store) AND c.shown AND NOT c.confirmed AND c.file_id = ANY (@ids::text[])`

// ConfirmCandidates confirms some candidates of a hold.
func (db *DB) ConfirmCandidates(ctx context.Context, t repo.Tx, h repo.Hold, ids []string) error {
	_, err := pgxTx(t).Exec(ctx, confirmSomeSQL, pgx.NamedArgs{"id": h.ID, "direction": string(h.Direction), "store": h.Store,
		"identity": db.identity.String(), "ids": ids})
	return pgerr.Translate(err, "confirm %d candidates of the held sweep %s", len(ids), h.ID)
}

const unconfirmedSQL = `
SELECT count(*) FROM pruned.hold h JOIN pruned.candidate c ON c.direction = h.direction AND (c.direction = 'row' OR c.store = h.store)
 WHERE h.direction = $1::text AND h.partly AND c.shown AND NOT c.confirmed`

// CountUnconfirmed counts what stays held of a direction.
func (db *DB) CountUnconfirmed(ctx context.Context, t repo.Tx, d repo.Direction) (n int64, err error) {
	err = pgxTx(t).QueryRow(ctx, unconfirmedSQL, string(d)).Scan(&n)
	return n, pgerr.Translate(err, "count what stays held among %s", d)
}

// FindConfirmation reads when a held sweep was confirmed.
func (db *DB) FindConfirmation(ctx context.Context, id string) (at time.Time, found bool, err error) {
	err = db.readRow(ctx, `SELECT at FROM pruned.confirmation WHERE id = $1::text`, []any{id}, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, false, nil
	}
	return at, err == nil, pgerr.Translate(err, "look for the confirmation of %q", id)
}
