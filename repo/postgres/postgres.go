// Package postgres is the database side on PostgreSQL.
//
// Its central idea is the row version: what PostgreSQL stamps on every row (xmin)
// tells which rows changed since a remembered transaction, so that "is this id
// mentioned anywhere?" is an index lookup plus the few rows that changed since
// the index was last brought up to date, in one statement and one snapshot. The
// package knows nothing of the queue or of vectors.
//
// Nothing here depends on the state of a session (session locks, SET without LOCAL),
// so that it works behind a pooler that changes the session between transactions.
// Only looks are prepared by name, until one turns out not to be there.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/witness"
)

// Options say which installation, and how patient to be.
type Options struct {
	URL    string
	Schema string // of the application's tables; empty: the connection's current schema
	// MaxConns bounds the sessions.
	MaxConns int32
	// Strict closes the instant between the last look and the commit, in which a
	// file may be mentioned unseen: writers of every table that may mention it wait
	// for that long.
	Strict bool
	// Ignore are tables and columns (table.column) whose mentions keep no file, with
	// their schema (schema.table) where that is another, or all of a schema (schema.*);
	// CitationsIgnore does the same for what answers cite (openwebui.Citations).
	Ignore          []string
	CitationsIgnore bool
	// StatementTimeout bounds each statement, LockTimeout a transaction's wait for its
	// first lock, CommitTimeout the wait for an answer to COMMIT, which
	// statement_timeout does not bound.
	StatementTimeout, LockTimeout, CommitTimeout time.Duration
	// Folder is the application's data folder, which tells two installations on one
	// machine apart whose databases have one address. Place is from where the database
	// is asked, but for its path; without a host it is found out.
	Folder string
	Place  witness.Place
}

func (o Options) withDefaults() Options {
	if o.MaxConns == 0 {
		o.MaxConns = 4
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = 15 * time.Second
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = 3 * time.Second
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = 15 * time.Second
	}
	return o
}

// DB is one installation's database.
type DB struct {
	options   Options
	pool      *pgxpool.Pool
	schema    string
	path      []string // the role's own, of schemas
	identity  Installation
	place     witness.Place
	elsewhere string     // see repo.Identity
	placing   sync.Mutex // of what notes place
	looks     lookCache
	blind     blindness
	// pagesTime is how long a transaction of a full pass keeps other passes waiting.
	pagesTime time.Duration
	// longWriting is from when on a transaction of somebody who writes is waited for.
	longWriting time.Duration
	excluded    []string // exceptions, Ignore and citations
}

var _ repo.Engine = (*DB)(nil)

// Open connects, and refuses what is no writable database of Open WebUI in a
// sentence that says what is wrong. It makes no table.
func Open(ctx context.Context, options Options) (*DB, error) {
	options = options.withDefaults()
	config, err := pgxpool.ParseConfig(options.URL)
	if err != nil {
		return nil, pgerr.Translate(err, "read DATABASE_URL")
	}
	config.MaxConns = options.MaxConns
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "pruned"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, pgerr.Translate(err, "connect to PostgreSQL")
	}
	db := &DB{options: options, pool: pool, pagesTime: time.Second, longWriting: 5 * time.Second}
	locate := func(ctx context.Context) error { return db.locate(ctx, &config.ConnConfig.Config) }
	for _, check := range []func(context.Context) error{db.recognize, locate, db.identify, db.recognizeIgnored} {
		if err := check(ctx); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return db, nil
}

// Close closes every session.
func (db *DB) Close() { db.pool.Close() }

// Schema is the schema of the application's tables.
func (db *DB) Schema() string { return db.schema }

// Identity tells this installation from every other.
func (db *DB) Identity() repo.Identity {
	return repo.Identity{Key: db.identity.String(), Name: db.identity.Name, Elsewhere: db.elsewhere}
}

// Installation is what the identity is made of.
func (db *DB) Installation() Installation { return db.identity }

// table is the quoted name of a table of the application.
func (db *DB) table(name string) string { return pgx.Identifier{db.schema, name}.Sanitize() }

// tx is an open transaction.
type tx struct{ pgx.Tx }

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
	return db.tellFixed(ctx, db.inNewTx(ctx, patience(ctx, db.options.StatementTimeout), fn))
}

// patience is how long a statement may take: as long as the caller waits, where
// it said so. The server gives up a little before the client, whose giving up
// costs the session.
func patience(ctx context.Context, otherwise time.Duration) time.Duration {
	deadline, set := ctx.Deadline()
	if !set {
		return otherwise
	}
	return max(time.Until(deadline)*9/10, time.Millisecond)
}

// begin is one round trip. The isolation level is spelt out, since a database's
// default of repeatable read would make the looks blind to what was committed
// after the first statement; READ WRITE likewise. With row_security off, a
// policy that would hide rows is an error instead. Values become text in one form,
// since the index names rows by the text of their keys, and none is converted to
// another encoding, which might lack a character. synchronous_commit is raised to what
// makes a commit durable, never lowered. A limit of the role's on whole transactions
// (PostgreSQL 17) would end every pass that is longer. Compiling these statements takes
// longer than running them. The first is safePath: before it, nothing is resolved.
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
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
` + waitBriefly

func (db *DB) inNewTx(ctx context.Context, timeout time.Duration, fn func(repo.Tx) error) error {
	return db.inTxOf(ctx, db.pool, timeout, fn)
}

// beginner is what begins transactions: the pool, or one session of it.
type beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

func (db *DB) inTxOf(ctx context.Context, of beginner, timeout time.Duration, fn func(repo.Tx) error) error {
	opened, err := of.BeginTx(ctx, pgx.TxOptions{BeginQuery: fmt.Sprintf(begin,
		timeout.Milliseconds(), (2 * timeout).Milliseconds())})
	if err != nil {
		return pgerr.Translate(err, "begin a transaction")
	}
	// Also when fn panics. After a commit there is nothing left to roll back.
	defer db.rollback(ctx, opened)
	if err := fn(tx{opened}); err != nil {
		return err
	}
	return db.commit(ctx, opened)
}

// rollback ignores that the caller gave up, but not for ever. Its own failure
// closes the session, which rolls back as well.
func (db *DB) rollback(ctx context.Context, opened pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), db.options.CommitTimeout)
	defer cancel()
	_ = opened.Rollback(ctx)
}

// commit commits under a deadline of its own. A server that refuses says so; no
// answer, also that of a session which the server ends, is repo.Unknown.
func (db *DB) commit(ctx context.Context, opened pgx.Tx) error {
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
