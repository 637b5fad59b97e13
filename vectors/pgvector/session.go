package pgvector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pruned/vectors"
)

// safePath is the search path of every transaction. A stranger who may CREATE in a
// schema on the role's own path can make a function or an operator there that fits the
// arguments of a statement better than PostgreSQL's, and it would run with our
// privileges.
const safePath = `SET LOCAL search_path = pg_catalog, pg_temp`

// begin depends on no default of the database or the user, such as a limit on whole
// transactions (PostgreSQL 17). A policy that would hide rows is an error. One pass
// may take minutes (encrypted chunks are decrypted at a few thousand a second): the
// caller's context bounds it.
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
` + safePath + `;
SET LOCAL row_security = off;
SET LOCAL statement_timeout = 0;
SELECT set_config('transaction_timeout', '0', true) WHERE current_setting('transaction_timeout', true) IS NOT NULL`

// withSession runs fn in a session of the store's own. They are few: fn must not ask for
// another.
func (s *chunkTable) withSession(ctx context.Context, doing string, fn func(*pgx.Conn) error) error {
	err := s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return fn(conn.Conn()) })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // the server's answer to that is only that it was cancelled
		return fmt.Errorf("%s: %w: %w", doing, ctx.Err(), err)
	default:
		return fmt.Errorf("%w: %s: %w", vectors.ErrUnusable, doing, err)
	}
}

// ownTx is a transaction in the store's own session.
type ownTx struct{ pgx.Tx }

// Exec runs one statement.
func (t ownTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := t.Tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

// inTx runs fn in a transaction in the store's own session.
func (s *chunkTable) inTx(ctx context.Context, doing string, fn func(ownTx) error) error {
	return s.withSession(ctx, doing, func(conn *pgx.Conn) error { return inSafeTx(ctx, conn, begin, fn) })
}

func inSafeTx(ctx context.Context, conn *pgx.Conn, begin string, fn func(ownTx) error) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{BeginQuery: begin}, func(tx pgx.Tx) error { return fn(ownTx{tx}) })
}

// beginReading is a transaction that lasts as long as its caller takes.
const beginReading = begin + `;
SET LOCAL idle_in_transaction_session_timeout = 0`

// inTableTx runs fn in a transaction in which the table can be read, unless there is none.
func (s *chunkTable) inTableTx(ctx context.Context, doing string, fn func(ownTx, *table) error) error {
	return s.withSession(ctx, doing, func(conn *pgx.Conn) error {
		return inSafeTx(ctx, conn, beginReading, func(tx ownTx) error {
			t, err := s.findTable(ctx, tx)
			if err != nil || t.isAbsent() {
				return err
			}
			if err := t.makeReadable(ctx, tx); err != nil {
				return err
			}
			return fn(tx, t)
		})
	})
}

// describeFailure says what was being done; nil where nothing failed.
func describeFailure(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(doing, args...), err)
}
