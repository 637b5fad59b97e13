package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// acquireLeaseSQL takes the one lease if it is free, ours or over, by this server's
// clock: those of the replicas may differ. One that ends later than it is long was
// taken by a clock that was ahead, and is nobody's.
const acquireLeaseSQL = `
INSERT INTO pruned.lease AS l (holder, until, ttl)
VALUES ($1::text, clock_timestamp() + make_interval(secs => $2::float8), $2::float8)
    ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until, ttl = excluded.ttl
 WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()
    OR l.until > clock_timestamp() + make_interval(secs => coalesce(l.ttl, $2::float8))`

// AcquireLease acquires the lease of sweeps, or keeps it.
func (db *DB) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	if err := db.recordRestart(ctx); err != nil {
		return false, err
	}
	return db.writeLease(ctx, acquireLeaseSQL, holder, ttl.Seconds())
}

// RenewLease extends the lease of sweeps.
func (db *DB) RenewLease(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	return db.writeLease(ctx, `UPDATE pruned.lease SET until = clock_timestamp() + make_interval(secs => $2::float8), ttl = $2::float8
		WHERE holder = $1::text`, holder, ttl.Seconds())
}

// ReleaseLease releases the lease of sweeps.
func (db *DB) ReleaseLease(ctx context.Context, holder string) error {
	_, err := db.writeLease(ctx, `DELETE FROM pruned.lease WHERE holder = $1::text`, holder)
	return err
}

// writeLease runs a statement that touches the lease where the holder has it.
func (db *DB) writeLease(ctx context.Context, sql string, args ...any) (has bool, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		n, err := t.Exec(ctx, sql, args...)
		has = n > 0
		return err
	})
	return has && err == nil, err
}

// BeginSweep numbers a sweep.
func (db *DB) BeginSweep(ctx context.Context, t repo.Tx) (sweep int64, err error) {
	if err := mendTimes(ctx, pgxTx(t)); err != nil {
		return 0, err
	}
	err = pgxTx(t).QueryRow(ctx, `SELECT nextval('pruned.sweep')`).Scan(&sweep)
	return sweep, pgerr.Translate(err, "number a sweep")
}

// ExpireOld deletes lines of the ledger, confirmations and candidates that are older than
// keep, what has been in the trash for long enough, and survivors that do not count any
// more. Candidates among rows are deleted by every sweep that does not find them.
func (db *DB) ExpireOld(ctx context.Context, keep time.Duration) error {
	if err := errors.Join(db.expireTrash(ctx), db.expireKeeps(ctx), db.expireSurvivors(ctx)); err != nil || keep <= 0 {
		return err
	}
	return db.inNewTx(ctx, longTimeout, func(t repo.Tx) error {
		for _, sql := range []string{
			`DELETE FROM pruned.ledger WHERE at < clock_timestamp() - make_interval(secs => $1::float8)`,
			`DELETE FROM pruned.confirmation WHERE at < clock_timestamp() - make_interval(secs => $1::float8)`,
			`DELETE FROM pruned.candidate WHERE direction <> 'row' AND seen_at < clock_timestamp() - make_interval(secs => $1::float8)`,
		} {
			if _, err := t.Exec(ctx, sql, keep.Seconds()); err != nil {
				return pgerr.Translate(err, "forget what is older than %s", keep)
			}
		}
		return nil
	})
}

// resetCandidates deletes what is known of candidates only by the index, as that nothing
// mentions a collection, or by the queue of this installation; the next sweep finds anew
// what was held.
func resetCandidates(ctx context.Context, t pgx.Tx) error {
	_, err := t.Exec(ctx, `DELETE FROM pruned.hold;
		DELETE FROM pruned.candidate WHERE direction IN ('row', 'collection');
		UPDATE pruned.candidate SET confirmed = false, claimed_at = NULL WHERE confirmed OR claimed_at IS NOT NULL`)
	return pgerr.Translate(err, "forget candidates")
}

const holdColumns = `id, direction, store, reason, found, there, at, shown_at`

const holdSQL = `
WITH earlier AS (DELETE FROM pruned.hold WHERE direction = @direction::text AND store <> @store::text),
     shown AS (UPDATE pruned.candidate SET shown = true WHERE direction = @direction::text AND (@direction::text = 'row' OR store = @store::text) AND NOT shown)
INSERT INTO pruned.hold (id, direction, store, reason, found, there)
VALUES (@id::text, @direction::text, @store::text, @reason::text, @found::bigint, @there::bigint)
    ON CONFLICT (direction, store) DO UPDATE
   SET reason = excluded.reason, found = excluded.found, there = excluded.there, shown_at = clock_timestamp()
RETURNING ` + holdColumns

// SetHold keeps a held direction under the id that it was held under first.
func (db *DB) SetHold(ctx context.Context, t repo.Tx, h repo.Hold) (repo.Hold, error) {
	rows, _ := pgxTx(t).Query(ctx, holdSQL, pgx.NamedArgs{"id": h.ID, "direction": string(h.Direction), "store": h.Store,
		"reason": h.Reason, "found": h.Found, "there": h.Total})
	held, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[repo.Hold])
	return held, pgerr.Translate(err, "hold what was found in %s", h.Store)
}

// ClearHold deletes the hold of a direction.
func (db *DB) ClearHold(ctx context.Context, t repo.Tx, d repo.Direction) error {
	_, err := pgxTx(t).Exec(ctx, `DELETE FROM pruned.hold WHERE direction = $1::text`, string(d))
	return pgerr.Translate(err, "release what was found among %s", d)
}

// ListHolds lists what is held, oldest first.
func (db *DB) ListHolds(ctx context.Context) ([]repo.Hold, error) {
	var held []repo.Hold
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		rows, _ := t.Query(ctx, `SELECT `+holdColumns+` FROM pruned.hold ORDER BY at, id, direction, store`)
		held, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Hold])
		return err
	})
	return held, pgerr.Translate(err, "list what is held")
}
