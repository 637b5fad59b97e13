package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// fixedSQL tells whether a message is written out in a function, so that it quotes no
// row. It asks all of them, since a failure names its function by words alone.
const fixedSQL = `SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE l.lanname NOT IN ('internal', 'c') AND strpos(p.prosrc, $1) > 0)`

// tellFixed returns err with what a function raised, if it always says just that, such
// as "legal hold"; otherwise the message is in the server's log. No transaction may be
// open that holds anything.
func (db *DB) tellFixed(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || !pgerr.IsRaised(pg) {
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
