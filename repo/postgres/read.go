package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

// safePath is the search path of every transaction. Whoever may CREATE in a schema
// on the role's own path can make a function or an operator there that fits the
// arguments of a statement better than PostgreSQL's, and it would run with our
// privileges. Temporary tables come last: anybody may make those.
const safePath = `SET LOCAL search_path = pg_catalog, pg_temp`

// ownPath brings the role's own path back, for what others wrote to run under it:
// the triggers of the application's tables.
const ownPath = `SET LOCAL search_path TO DEFAULT`

// read runs fn in a transaction of its own: outside of one a statement would be
// resolved by the role's own search path.
func (db *DB) read(ctx context.Context, fn func(pgx.Tx) error) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error { return fn(pgxTx(t)) })
}

// readRow reads one row, in a transaction of its own.
func (db *DB) readRow(ctx context.Context, sql string, args []any, into ...any) error {
	return db.read(ctx, func(t pgx.Tx) error { return t.QueryRow(ctx, sql, args...).Scan(into...) })
}

// readColumn reads one column of text, in a transaction of its own.
func (db *DB) readColumn(ctx context.Context, sql string, args ...any) (values []string, err error) {
	err = db.read(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, sql, args...)
		values, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return values, err
}
