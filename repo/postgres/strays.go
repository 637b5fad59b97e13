package postgres

import "context"

// Strays counts the tombstones that another installation wrote, and names one.
func (db *DB) Strays(ctx context.Context) (n int64, whose string, err error) {
	err = db.pool.QueryRow(ctx, `SELECT count(*), coalesce(max(identity), '') FROM pruned.tombstone WHERE identity <> $1::text`,
		db.identity.String()).Scan(&n, &whose)
	return n, whose, translate(err, "look for tombstones of another installation")
}
