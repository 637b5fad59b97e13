package sqlite

import (
	"context"
	"time"

	"pruned/repo"
)

// Lead takes the lead of sweeps, or keeps it, by this machine's clock: a SQLite
// database is used on one. A lease that ends later than it is long was taken when
// that clock was ahead, and is nobody's.
func (db *DB) Lead(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	now := time.Now()
	n, err := db.aside(ctx, `INSERT INTO pruned_lease AS l (one, holder, until, ttl) VALUES (1, ?1, ?2, ?4)
		ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until, ttl = excluded.ttl
		WHERE l.holder = excluded.holder OR l.until <= ?3 OR l.until > ?3 + coalesce(l.ttl, ?4)`,
		holder, micros(now.Add(ttl)), micros(now), ttl.Microseconds())
	return n > 0 && err == nil, translate(err, "take the lead of sweeps")
}

// Renew keeps the lead of sweeps.
func (db *DB) Renew(ctx context.Context, holder string, ttl time.Duration) (leads bool, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		n, err := sqliteTx(t).write(ctx, `UPDATE pruned_lease SET until = ?2, ttl = ?3 WHERE holder = ?1`,
			holder, micros(time.Now().Add(ttl)), ttl.Microseconds())
		leads = n > 0
		return translate(err, "keep the lead of sweeps")
	})
	return leads && err == nil, err
}

// Resign gives the lead up.
func (db *DB) Resign(ctx context.Context, holder string) error {
	_, err := db.aside(ctx, `DELETE FROM pruned_lease WHERE holder = ?1`, holder)
	return translate(err, "give up the lead of sweeps")
}

// aside runs one statement that cannot wait for its turn: a pass has that for as long
// as it takes, and the lead of the sweep that it is part of would end meanwhile.
// Without a write-ahead log nobody can write while somebody reads, and it waits.
func (db *DB) aside(ctx context.Context, query string, args ...any) (n int64, err error) {
	var journal string
	if _, err := one(ctx, db.pool, `PRAGMA journal_mode`, nil, &journal); err != nil {
		return 0, err
	}
	if journal != "wal" {
		err = db.InTx(ctx, nil, func(t repo.Tx) error {
			n, err = sqliteTx(t).write(ctx, query, args...)
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

// Begin numbers a sweep.
func (db *DB) Begin(ctx context.Context, t repo.Tx) (sweep int64, err error) {
	tx := sqliteTx(t)
	q, err := tx.later.reads(ctx, tx)
	if err != nil {
		return 0, err
	}
	if _, err := one(ctx, q, `SELECT sweep + 1 FROM pruned_state`, nil, &sweep); err != nil {
		return 0, translate(err, "number a sweep")
	}
	if err := tx.later.write(ctx, mending(time.Now())...); err != nil {
		return 0, err
	}
	return sweep, tx.later.write(ctx, statement{`UPDATE pruned_state SET sweep = ?1`, []any{sweep}})
}
