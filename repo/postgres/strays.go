package postgres

import (
	"context"

	"pruned/repo/postgres/pgerr"
)

// Strays counts the tombstones that another installation wrote, and names one.
func (db *DB) Strays(ctx context.Context) (n int64, whose string, err error) {
	err = db.readRow(ctx, `SELECT count(*), coalesce(max(identity), '') FROM pruned.tombstone WHERE identity <> $1::text`,
		[]any{db.identity.String()}, &n, &whose)
	return n, whose, pgerr.Translate(err, "look for tombstones of another installation")
}
