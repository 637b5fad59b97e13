package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
)

// isRaised says whether a function's author worded the message: PL/pgSQL's RAISE and
// ASSERT, whatever code they give, and what other languages raise.
func isRaised(pg *pgconn.PgError) bool {
	return strings.HasPrefix(pg.Routine, "exec_stmt_") || strings.HasPrefix(pg.Code, "P0") || strings.HasPrefix(pg.Code, "38")
}

// fixedSQL tells whether a message is written out in a function, so that it quotes no
// row. It asks all of them, since a failure names its function by words alone.
const fixedSQL = `SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE l.lanname NOT IN ('internal', 'c') AND strpos(p.prosrc, $1) > 0)`

// tellFixed returns err with what a function raised, if it always says just that, such
// as "legal hold"; otherwise the message is in the server's log. No transaction may be
// open that holds anything.
func (db *DB) tellFixed(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || !isRaised(pg) {
		return err
	}
	var fixed bool
	asked := db.inNewTx(ctx, patience(ctx, db.options.StatementTimeout), func(t repo.Tx) error {
		return pgxTx(t).QueryRow(ctx, fixedSQL, strings.ReplaceAll(pg.Message, "'", "''")).Scan(&fixed)
	})
	if asked == nil && fixed {
		return repo.TellRaised(err, pg.Message)
	}
	return err
}
