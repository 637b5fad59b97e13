// Package postgres is the engine on PostgreSQL: its connection and transactions, the
// application's rows, and our own tables in schema pruned.
//
// Its central idea is that nothing depends on the state of a session (session locks, SET
// without LOCAL), so that it works behind a pooler that changes the session between
// transactions. Only the statements that every batch runs, and that take longer to plan
// than to run, are prepared by name, until one turns out not to be there.
//
// Whether a living row mentions a file is asked of package refindex. The package knows
// nothing of the queue or of vectors.
package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
	"pruned/repo/witness"
)

// Options name the installation, and bound the time that is spent on it.
type Options struct {
	URL    string
	Schema string // of the application's tables; empty: the connection's current schema
	// MaxConns bounds the sessions.
	MaxConns int32
	// Strict closes the instant between the recheck and the commit, in which a file
	// may be mentioned unseen: writers of every table that may mention it wait for
	// that long.
	Strict bool
	// Ignore are tables and columns (table.column) whose mentions keep no file, with
	// their schema (schema.table) where that is another, or all of a schema (schema.*);
	// CitationsIgnore does the same for what answers cite (openwebui.Citations),
	// DepartedIgnore for rows that nobody can open any more (openwebui.Owned).
	Ignore          []string
	CitationsIgnore bool
	DepartedIgnore  bool
	// RemovesDangling: a role needs what repo.DanglingRows takes to remove them.
	RemovesDangling bool
	// StatementTimeout bounds each statement, LockTimeout a transaction's wait for its
	// first lock, CommitTimeout the wait for an answer to COMMIT, which
	// statement_timeout does not bound.
	StatementTimeout, LockTimeout, CommitTimeout time.Duration
	// Folder is the application's data folder, which tells two installations on one
	// machine apart whose databases have one address. Place is where the database is
	// asked from; without a host it is found out.
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
	placing   sync.Mutex // guards place
	index     *refindex.Index

	unprepared atomic.Bool // a pooler changes the session below a prepared statement
}

var _ = repo.NewEngine[*DB]

// Open connects, and refuses a database that is no writable one of Open WebUI in a
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
	config.BeforeConnect = readCertificates(options.URL)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, pgerr.Translate(err, "connect to PostgreSQL")
	}
	db := &DB{options: options, pool: pool}
	locate := func(ctx context.Context) error { return db.locateServer(ctx, &config.ConnConfig.Config) }
	for _, check := range []func(context.Context) error{db.recognizeDatabase, locate, db.readIdentity, db.openIndex} {
		if err := check(ctx); err != nil {
			err = db.nameMissing(ctx, err)
			pool.Close()
			return nil, err
		}
	}
	return db, nil
}

// readCertificates reads them for each connection: they are renewed while we run.
func readCertificates(url string) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, config *pgx.ConnConfig) error {
		now, err := pgx.ParseConfig(url)
		if err == nil {
			config.TLSConfig, config.Fallbacks = now.TLSConfig, now.Fallbacks
		}
		return err
	}
}

// openIndex makes the reference index of the recognized database.
func (db *DB) openIndex(ctx context.Context) error {
	excluded, err := db.recognizeIgnored(ctx)
	db.index = refindex.New(refindex.Config{
		Schema: db.schema, Excluded: excluded, CitationsIgnore: db.options.CitationsIgnore, DepartedIgnore: db.options.DepartedIgnore, Strict: db.options.Strict,
		LockTimeout: db.options.LockTimeout, PageTime: time.Second, LongWriting: 5 * time.Second,
		ExecMode: db.execMode,
		Run: func(ctx context.Context, timeout time.Duration, fn func(pgx.Tx) error) error {
			return db.inNewTx(ctx, timeout, func(t repo.Tx) error { return fn(pgxTx(t)) })
		},
		OnRebuild: resetCandidates,
	})
	return err
}

// Close closes every session.
func (db *DB) Close() { db.pool.Close() }

// Identity tells this installation from every other.
func (db *DB) Identity() repo.Identity {
	return repo.Identity{Key: db.identity.String(), Name: db.identity.Name, Elsewhere: db.elsewhere}
}

// Installation returns the parts of the identity.
func (db *DB) Installation() Installation { return db.identity }

// quotedTable is the quoted name of a table of the application.
func (db *DB) quotedTable(name string) string { return pgx.Identifier{db.schema, name}.Sanitize() }
