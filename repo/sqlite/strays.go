package sqlite

import "context"

// Strays counts the tombstones that another installation wrote, and names one.
func (db *DB) Strays(ctx context.Context) (n int64, whose string, err error) {
	_, err = one(ctx, db.pool, `SELECT count(*), coalesce(max(identity), '') FROM pruned_tombstone WHERE identity <> ?1`, []any{db.identity.Key}, &n, &whose)
	return n, whose, translate(err, "look for tombstones of another installation")
}
