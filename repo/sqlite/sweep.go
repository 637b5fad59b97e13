package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"pruned/repo"
)

// leaseSQL: a lease that ends later than it is long was taken when the clock was ahead,
// and is nobody's.
const leaseSQL = `
INSERT INTO pruned_lease AS l (one, holder, until, ttl) VALUES (1, @holder, @until, @ttl)
    ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until, ttl = excluded.ttl
 WHERE l.holder = excluded.holder OR l.until <= @now OR l.until > @now + coalesce(l.ttl, @ttl)`

// AcquireLease takes the lease of sweeps, or keeps it, by this machine's clock: a SQLite
// database is used on one.
func (db *DB) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	now := time.Now()
	n, err := db.execOutsideMutex(ctx, leaseSQL, sql.Named("holder", holder), sql.Named("now", toMicros(now)),
		sql.Named("until", toMicros(now.Add(ttl))), sql.Named("ttl", ttl.Microseconds()))
	return n > 0 && err == nil, translate(err, "take the lead of sweeps")
}

// RenewLease keeps the lease of sweeps.
func (db *DB) RenewLease(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		n, err := sqliteTx(t).execWrite(ctx, `UPDATE pruned_lease SET until = ?2, ttl = ?3 WHERE holder = ?1`,
			holder, toMicros(time.Now().Add(ttl)), ttl.Microseconds())
		leads = n > 0
		return translate(err, "keep the lead of sweeps")
	})
	return leads && err == nil, err
}

// ReleaseLease gives the lease up.
func (db *DB) ReleaseLease(ctx context.Context, holder string) error {
	_, err := db.execOutsideMutex(ctx, `DELETE FROM pruned_lease WHERE holder = ?1`, holder)
	return translate(err, "give up the lead of sweeps")
}

// execOutsideMutex runs one statement that cannot wait for DB.mutex: a pass has that for as
// long as it takes, and the lease of the sweep that it is part of would end meanwhile.
// Without a write-ahead log nobody can write while somebody reads, and it waits.
func (db *DB) execOutsideMutex(ctx context.Context, query string, args ...any) (n int64, err error) {
	if err := db.Present(); err != nil {
		return 0, err
	}
	var journal string
	if _, err := queryOne(ctx, db.pool, `PRAGMA journal_mode`, nil, &journal); err != nil {
		return 0, err
	}
	if journal != "wal" {
		err = db.InTx(ctx, nil, func(t repo.Tx) error {
			n, err = sqliteTx(t).execWrite(ctx, query, args...)
			return err
		})
		return n, err
	}
	result, err := db.pool.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// BeginSweep numbers a sweep.
func (db *DB) BeginSweep(ctx context.Context, t repo.Tx) (sweep int64, err error) {
	tx := sqliteTx(t)
	if _, err := queryOne(ctx, sweepView{tx}, `SELECT sweep + 1 FROM pruned_state`, nil, &sweep); err != nil {
		return 0, translate(err, "number a sweep")
	}
	if err := tx.deferred.enqueue(ctx, mendTimesStatements(time.Now())...); err != nil {
		return 0, err
	}
	return sweep, tx.deferred.enqueue(ctx, statement{`UPDATE pruned_state SET sweep = ?1`, []any{sweep}})
}

// ExpireOld forgets what is older than keep, and what has been in the trash for long
// enough, a little at a time. Candidates that are rows are forgotten by every sweep that
// does not find them.
func (db *DB) ExpireOld(ctx context.Context, keep time.Duration) error {
	if err := errors.Join(db.expireTrash(ctx), db.expireKeeps(ctx)); err != nil || keep <= 0 {
		return err
	}
	before := toMicros(time.Now().Add(-keep))
	// What happened in the future, by a clock that was ahead, happened now.
	if err := db.runShortTx(ctx, []statement{{`UPDATE pruned_ledger SET at = ?1 WHERE at > ?1`, []any{toMicros(time.Now())}}}); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM pruned_ledger WHERE seq IN (SELECT seq FROM pruned_ledger WHERE at < ?1 LIMIT ?2)`,
		`DELETE FROM pruned_confirmation WHERE id IN (SELECT id FROM pruned_confirmation WHERE at < ?1 LIMIT ?2)`,
		`DELETE FROM pruned_candidate WHERE rowid IN (SELECT rowid FROM pruned_candidate WHERE direction <> 'row' AND seen_at < ?1 LIMIT ?2)`,
	} {
		if err := db.deletePages(ctx, markPage, query, before); err != nil {
			return err
		}
	}
	return nil
}

// deletePages deletes rows a page at a time: the application waits for the lock.
func (db *DB) deletePages(ctx context.Context, page int, query string, before int64) error {
	for n := int64(page); n == int64(page); {
		err := db.InTx(ctx, nil, func(t repo.Tx) (err error) {
			n, err = sqliteTx(t).execWrite(ctx, query, before, page)
			return translate(err, "forget what is old")
		})
		if err != nil {
			return err
		}
	}
	return nil
}
