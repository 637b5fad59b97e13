package sqlite

import (
	"context"
	"database/sql"
	"time"

	"pruned/repo"
)

const holdColumns = `id, direction, store, reason, found, there, at, shown_at`

func listHolds(ctx context.Context, q querier, where string, args ...any) (held []repo.Hold, err error) {
	var h repo.Hold
	var at, shown int64
	err = queryEach(ctx, q, `SELECT `+holdColumns+` FROM pruned_hold `+where+` ORDER BY at, id, direction, store`, args,
		[]any{&h.ID, &h.Direction, &h.Store, &h.Reason, &h.Found, &h.Total, &at, &shown}, func() error {
			h.At, h.ShownAt = fromMicros(at), fromMicros(shown)
			held = append(held, h)
			return nil
		})
	return held, translate(err, "list what is held")
}

const holdSQL = `
INSERT INTO pruned_hold (id, direction, store, reason, found, there, at, shown_at)
VALUES (@id, @direction, @store, @reason, @found, @there, @now, @now)
    ON CONFLICT (direction, store) DO UPDATE
   SET reason = excluded.reason, found = excluded.found, there = excluded.there, shown_at = excluded.shown_at`

// SetHold keeps a held direction under the id that it was held under first.
func (db *DB) SetHold(ctx context.Context, t repo.Tx, h repo.Hold) (repo.Hold, error) {
	tx := sqliteTx(t)
	held, err := listHolds(ctx, sweepView{tx}, `WHERE direction = ?1 AND store = ?2`, string(h.Direction), h.Store)
	if err != nil {
		return h, err
	}
	now := toMicros(time.Now())
	h.At, h.ShownAt = fromMicros(now), fromMicros(now)
	if len(held) > 0 {
		h.ID, h.At = held[0].ID, held[0].At
	}
	earlier := statement{`DELETE FROM pruned_hold WHERE direction = ?1 AND store <> ?2`, []any{string(h.Direction), h.Store}}
	return h, tx.deferred.enqueue(ctx, earlier, statement{holdSQL, []any{
		sql.Named("id", h.ID), sql.Named("direction", string(h.Direction)), sql.Named("store", h.Store), sql.Named("reason", h.Reason),
		sql.Named("found", h.Found), sql.Named("there", h.Total), sql.Named("now", now)}},
		statement{`UPDATE pruned_candidate SET shown = 1 WHERE direction = ?1 AND (?1 = 'row' OR store = ?2) AND NOT shown`,
			[]any{string(h.Direction), h.Store}})
}

// ClearHold forgets that a direction is held.
func (db *DB) ClearHold(ctx context.Context, t repo.Tx, d repo.Direction) error {
	return sqliteTx(t).deferred.enqueue(ctx, statement{`DELETE FROM pruned_hold WHERE direction = ?1`, []any{string(d)}})
}

// ListHolds lists what is held, oldest first.
func (db *DB) ListHolds(ctx context.Context) ([]repo.Hold, error) { return listHolds(ctx, db.pool, "") }
