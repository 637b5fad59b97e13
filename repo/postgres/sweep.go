package postgres

import (
	"context"
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

// Lead acquires the lease of sweeps, or keeps it.
func (db *DB) Lead(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	if err := db.recordRestart(ctx); err != nil {
		return false, err
	}
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		n, err := t.Exec(ctx, acquireLeaseSQL, holder, ttl.Seconds())
		leads = n > 0
		return pgerr.Translate(err, "take the lead of sweeps")
	})
	return leads && err == nil, err
}

// Renew extends the lease of sweeps.
func (db *DB) Renew(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		n, err := t.Exec(ctx, `UPDATE pruned.lease SET until = clock_timestamp() + make_interval(secs => $2::float8), ttl = $2::float8
			WHERE holder = $1::text`, holder, ttl.Seconds())
		leads = n > 0
		return pgerr.Translate(err, "keep the lead of sweeps")
	})
	return leads && err == nil, err
}

// Resign releases the lease of sweeps.
func (db *DB) Resign(ctx context.Context, holder string) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM pruned.lease WHERE holder = $1::text`, holder)
		return pgerr.Translate(err, "give up the lead of sweeps")
	})
}

// Begin numbers a sweep.
func (db *DB) Begin(ctx context.Context, t repo.Tx) (sweep int64, err error) {
	if err := mendTimes(ctx, pgxTx(t)); err != nil {
		return 0, err
	}
	err = pgxTx(t).QueryRow(ctx, `SELECT nextval('pruned.sweep')`).Scan(&sweep)
	return sweep, pgerr.Translate(err, "number a sweep")
}

// Retire deletes lines of the ledger and candidates that are older than keep. Candidates
// among rows are deleted by every sweep that does not find them.
func (db *DB) Retire(ctx context.Context, keep time.Duration) error {
	if keep <= 0 {
		return nil
	}
	return db.inNewTx(ctx, longTimeout, func(t repo.Tx) error {
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

// resetCandidates deletes what is known of candidates only by the index, or by the queue
// of this installation; the next sweep finds anew what was held.
func resetCandidates(ctx context.Context, t pgx.Tx) error {
	_, err := t.Exec(ctx, `DELETE FROM pruned.hold`)
	if err == nil {
		_, err = t.Exec(ctx, `DELETE FROM pruned.candidate WHERE direction = 'row'`)
	}
	if err == nil {
		_, err = t.Exec(ctx, `UPDATE pruned.candidate SET confirmed = false, claimed_at = NULL WHERE confirmed OR claimed_at IS NOT NULL`)
	}
	return pgerr.Translate(err, "forget candidates")
}
