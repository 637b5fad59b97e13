package postgres

import (
	"context"

	"pruned/repo/postgres/pgerr"

	"github.com/jackc/pgx/v5"
)

// neverMigrated says whether nothing in schema pruned is ours: the schema may hold
// tables of somebody else's with our names, at which the first migration fails. What
// goose made by then goes.
func neverMigrated(ctx context.Context, t pgx.Tx) (never bool, err error) {
	var started, migrated bool
	err = t.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = to_regclass('pruned.migration') AND attname = 'version_id' AND NOT attisdropped)`).Scan(&started)
	if err != nil || !started {
		return true, pgerr.Translate(err, "look for what is ours in schema pruned")
	}
	err = t.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pruned.migration WHERE version_id > 0)`).Scan(&migrated)
	if err == nil && !migrated {
		_, err = t.Exec(ctx, `DROP TABLE pruned.migration`)
	}
	return !migrated, pgerr.Translate(err, "look for what is ours in schema pruned")
}
