package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// tx is an open transaction.
type tx struct {
	pgx.Tx
	foreign *bool // to looks its number is like somebody else's
}

// countAsForeign has looks read what changed after this transaction, as after one of somebody
// else's: by what it deletes or restores, rows that are searched may be written, or live again.
func (t tx) countAsForeign() { *t.foreign = true }

// Exec runs one statement.
func (t tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := t.Tx.Exec(ctx, sql, args...)
	if err != nil {
		return 0, pgerr.Translate(err, "execute %.40q", sql)
	}
	return tag.RowsAffected(), nil
}

// pgxTx takes this engine's transaction out of the contract's.
func pgxTx(t repo.Tx) pgx.Tx { return t.(tx).Tx }

// InTx joins transaction t, or opens one when t is nil.
func (db *DB) InTx(ctx context.Context, t repo.Tx, fn func(repo.Tx) error) error {
	if t != nil {
		return fn(t)
	}
	return db.revealRaised(ctx, db.inNewTx(ctx, statementTimeout(ctx, db.options.StatementTimeout), fn))
}

// longTimeout bounds a statement whose time grows with the number of rows.
const longTimeout = 10 * time.Minute

// statementTimeout is how long a statement may take: as long as the caller waits, where
// its context has a deadline. The server gives up a little before the client, since a
// client that gives up loses the session.
func statementTimeout(ctx context.Context, otherwise time.Duration) time.Duration {
	deadline, set := ctx.Deadline()
	if !set {
		return otherwise
	}
	return max(time.Until(deadline)*9/10, time.Millisecond)
}

// beginSQL is one round trip. The isolation level is spelt out, since a database's
// default of repeatable read would make searches blind to rows committed
// after the first statement; READ WRITE likewise. With row_security off, a
// policy that would hide rows is an error instead. Values become text in one form,
// since the index names rows by the text of their keys, and none is converted to
// another encoding, which might lack a character. synchronous_commit is raised to what
// makes a commit durable, and lowered by Settle alone. A limit of the role's on whole transactions
// (PostgreSQL 17) would end every pass that is longer. Compiling these statements takes
// longer than running them. The first is safePath: before it, nothing is resolved.
const beginSQL = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
` + safePath + `;
SET LOCAL statement_timeout = %d;
SET LOCAL idle_in_transaction_session_timeout = %d;
SET LOCAL row_security = off;
SET LOCAL jit = off;
SET LOCAL bytea_output = 'escape';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL TimeZone = 'UTC';
SET LOCAL extra_float_digits = 1;
SELECT set_config(s.name, s.value, true)
  FROM (VALUES ('synchronous_commit', 'on', current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')),
               ('transaction_timeout', '0', current_setting('transaction_timeout', true) IS NOT NULL),
               ('client_encoding', current_setting('server_encoding'), current_setting('client_encoding') <> current_setting('server_encoding'))
       ) s (name, value, wanted)
 WHERE s.wanted;
` + refindex.ShortWaitSQL

func (db *DB) inNewTx(ctx context.Context, timeout time.Duration, fn func(repo.Tx) error) error {
	return db.inTxOf(ctx, db.pool, timeout, fn)
}

// beginner begins transactions: the pool, or one session of it.
type beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

func (db *DB) inTxOf(ctx context.Context, of beginner, timeout time.Duration, fn func(repo.Tx) error) error {
	opened, err := of.BeginTx(ctx, pgx.TxOptions{BeginQuery: fmt.Sprintf(beginSQL,
		timeout.Milliseconds(), (2 * timeout).Milliseconds())})
	if err != nil {
		return pgerr.Translate(err, "begin a transaction")
	}
	// Also when fn panics. After a commit there is nothing left to roll back.
	defer db.rollbackTx(ctx, opened)
	var foreign bool
	if err := fn(tx{opened, &foreign}); err != nil {
		db.noticePooler(err)
		return err
	}
	if foreign {
		return db.commitTx(ctx, opened)
	}
	if err := db.index.NoteNumber(ctx, opened); err != nil && !opened.Conn().IsClosed() {
		return err
	}
	return db.commitTx(ctx, opened)
}

// execMode is how a statement is sent that many transactions run: prepared once a session,
// unless a pooler stands between.
func (db *DB) execMode() pgx.QueryExecMode {
	if db.unprepared.Load() {
		return pgx.QueryExecModeExec
	}
	return pgx.QueryExecModeCacheStatement
}

// noticePooler learns from a failure that prepared statements do not survive here. Its
// transaction is lost, and its batch is handled again.
func (db *DB) noticePooler(err error) {
	if state := repo.SQLState(err); state == "26000" || state == "42P05" {
		db.unprepared.Store(true)
	}
}

// rollbackTx ignores that the caller gave up, but not for ever. Its own failure
// closes the session, which rolls back as well.
func (db *DB) rollbackTx(ctx context.Context, opened pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), db.options.CommitTimeout)
	defer cancel()
	_ = opened.Rollback(ctx)
}

// commitTx commits under a deadline of its own. A server that refuses says so; no
// answer, also that of a session which the server ends, is repo.Unknown.
func (db *DB) commitTx(ctx context.Context, opened pgx.Tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), db.options.CommitTimeout)
	defer cancel()
	err := opened.Commit(ctx)
	var answer *pgconn.PgError
	refused := errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
	if err == nil || refused || errors.Is(err, pgx.ErrTxCommitRollback) {
		return pgerr.Translate(err, "commit")
	}
	return &repo.Error{Kind: repo.Unknown, SQLState: repo.SQLState(pgerr.Translate(err, "commit")), Doing: "commit", Err: err}
}

// safePath is the search path of every transaction. A role that may CREATE in a schema
// on our role's own path can make a function or an operator there that fits the
// arguments of a statement better than PostgreSQL's, and it would run with our
// privileges. Temporary tables come last: anybody may make those.
const safePath = `SET LOCAL search_path = pg_catalog, pg_temp`

// ownPath brings the role's own path back, for the triggers of the application's tables to
// run under.
const ownPath = `SET LOCAL search_path TO DEFAULT`

// inOwnTx runs fn in a transaction of its own: outside of one a statement would be
// resolved by the role's own search path.
func (db *DB) inOwnTx(ctx context.Context, fn func(pgx.Tx) error) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error { return fn(pgxTx(t)) })
}

// readRow reads one row, in a transaction of its own.
func (db *DB) readRow(ctx context.Context, sql string, args []any, into ...any) error {
	return db.inOwnTx(ctx, func(t pgx.Tx) error { return t.QueryRow(ctx, sql, args...).Scan(into...) })
}

// readColumn reads one column of text, in a transaction of its own.
func (db *DB) readColumn(ctx context.Context, sql string, args ...any) (values []string, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		values, err = refindex.ReadColumn[string](ctx, t, sql, args...)
		return err
	})
	return values, err
}

// fixedSQL tells whether a message is written out in a function, so that it quotes no
// row. It asks all of them, since a failure names its function by words alone.
const fixedSQL = `SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE l.lanname NOT IN ('internal', 'c') AND strpos(p.prosrc, $1) > 0)`

// revealRaised adds the message that a function raised to the error, if the function
// always says just that, such as "legal hold"; otherwise the message is in the server's
// log only. No transaction may be open that holds anything.
func (db *DB) revealRaised(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || !pgerr.IsRaised(pg) {
		return err
	}
	var fixed bool
	asked := db.inNewTx(ctx, statementTimeout(ctx, db.options.StatementTimeout), func(t repo.Tx) error {
		return pgxTx(t).QueryRow(ctx, fixedSQL, strings.ReplaceAll(pg.Message, "'", "''")).Scan(&fixed)
	})
	if asked == nil && fixed {
		return repo.TellRaised(err, pg.Message)
	}
	return err
}
