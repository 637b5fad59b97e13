package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

const holdColumns = `id, direction, store, reason, found, there, at`

const holdSQL = `
WITH earlier AS (DELETE FROM pruned.hold WHERE direction = @direction::text AND store <> @store::text),
     shown AS (UPDATE pruned.candidate SET shown = true WHERE direction = @direction::text AND (@direction::text = 'row' OR store = @store::text) AND NOT shown)
INSERT INTO pruned.hold (id, direction, store, reason, found, there)
VALUES (@id::text, @direction::text, @store::text, @reason::text, @found::bigint, @there::bigint)
    ON CONFLICT (direction, store) DO UPDATE
   SET reason = excluded.reason, found = excluded.found, there = excluded.there, shown_at = clock_timestamp()
RETURNING ` + holdColumns

// Hold keeps a held direction under the id that it was held under first.
func (db *DB) Hold(ctx context.Context, t repo.Tx, h repo.Hold) (repo.Hold, error) {
	rows, _ := pgxTx(t).Query(ctx, holdSQL, pgx.NamedArgs{"id": h.ID, "direction": string(h.Direction), "store": h.Store,
		"reason": h.Reason, "found": h.Found, "there": h.There})
	held, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[repo.Hold])
	return held, pgerr.Translate(err, "hold what was found in %s", h.Store)
}

// Release deletes the hold of a direction.
func (db *DB) Release(ctx context.Context, t repo.Tx, d repo.Direction) error {
	_, err := pgxTx(t).Exec(ctx, `DELETE FROM pruned.hold WHERE direction = $1::text`, string(d))
	return pgerr.Translate(err, "release what was found among %s", d)
}

// Holds lists what is held, oldest first.
func (db *DB) Holds(ctx context.Context) ([]repo.Hold, error) {
	var held []repo.Hold
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		rows, _ := t.Query(ctx, `SELECT `+holdColumns+` FROM pruned.hold ORDER BY at, id, direction, store`)
		held, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Hold])
		return err
	})
	return held, pgerr.Translate(err, "list what is held")
}

// confirmSQL confirms the candidates that existed when the last sweep showed the hold, and
// none that was found since.
const confirmSQL = `
WITH held AS (DELETE FROM pruned.hold WHERE id = @id::text RETURNING *),
     bound AS (INSERT INTO pruned.binding (store, identity) SELECT DISTINCT store, @identity::text FROM held ON CONFLICT DO NOTHING),
     freed AS (UPDATE pruned.candidate c SET confirmed = true FROM held h
                WHERE c.direction = h.direction AND (c.direction = 'row' OR c.store = h.store) AND c.shown AND NOT c.confirmed)
SELECT ` + holdColumns + ` FROM held ORDER BY at, direction, store`

// Confirm confirms the candidates of a held sweep, and approves its stores.
func (db *DB) Confirm(ctx context.Context, t repo.Tx, id string) ([]repo.Hold, error) {
	rows, _ := pgxTx(t).Query(ctx, confirmSQL, pgx.NamedArgs{"id": id, "identity": db.identity.String()})
	held, err := pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Hold])
	if err == nil && len(held) == 0 {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("confirm %q", id), Err: repo.ErrNoHold}
	}
	return held, pgerr.Translate(err, "confirm the held sweep %s", id)
}
