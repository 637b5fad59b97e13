package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateTimeout bounds the wait for another replica that migrates.
const migrateTimeout = 10 * time.Minute

// lockMigrationsSQL makes replicas that start together take turns. The lock ends
// with its transaction: a session's would not survive a pooler. goose's own lock
// compares names by the role's search path (see safePath).
const lockMigrationsSQL = `SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(8077004222)`

// Migrate brings our own tables, in schema pruned, up to date.
func (db *DB) Migrate(ctx context.Context) error {
	connector := oneTxConnector{stdlib.GetPoolConnector(db.pool), nil}
	session, err := connector.Connector.Connect(ctx)
	if err != nil {
		return pgerr.Translate(err, "connect to PostgreSQL")
	}
	defer func() { _ = session.Close() }()
	connector.session = session.(*stdlib.Conn)
	err = db.inTxOf(ctx, connector.session.Conn(), migrateTimeout, func(t repo.Tx) error {
		if _, err := t.Exec(ctx, lockMigrationsSQL); err != nil {
			return pgerr.Translate(err, "wait for another migration")
		}
		if err := db.makeSchema(ctx); err != nil {
			return err
		}
		return db.runMigrations(ctx, connector)
	})
	if err != nil {
		return err
	}
	return db.recordPlace(ctx)
}

// makeSchema creates schema pruned, in a transaction that commits before the migrations:
// goose creates its own table first, and not the schema for it.
func (db *DB) makeSchema(ctx context.Context) error {
	err := db.InTx(ctx, nil, func(t repo.Tx) error {
		_, err := t.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS pruned`)
		return err
	})
	if err == nil {
		return nil
	}
	if exists, lookErr := db.hasSchema(ctx); lookErr == nil && exists {
		return nil
	}
	return pgerr.Translate(err, "create schema pruned (GRANT CREATE ON DATABASE %s, or create it by hand)", db.identity.Name)
}

// runMigrations runs goose on the session of the open transaction: a transaction of its
// own would have the role's search path, on which a foreign schema may come first of all.
func (db *DB) runMigrations(ctx context.Context, connector driver.Connector) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	handle := sql.OpenDB(connector)
	handle.SetMaxOpenConns(1)
	defer handle.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, files,
		goose.WithTableName("pruned.migration"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return pgerr.Translate(err, "prepare the migrations of schema pruned")
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return pgerr.Translate(err, "read the version of schema pruned")
	}
	if pending {
		if _, err := provider.Up(ctx); err != nil {
			return pgerr.Translate(err, "migrate schema pruned")
		}
	}
	return nil
}

// oneTxConnector connects database/sql to a session of the pool that is in a transaction;
// the code that began the transaction ends it.
type oneTxConnector struct {
	driver.Connector
	session *stdlib.Conn
}

// Connect implements driver.Connector.
func (c oneTxConnector) Connect(context.Context) (driver.Conn, error) {
	return oneTxConn{c.session}, nil
}

// oneTxConn is a session that joins the transaction it is in: it neither begins nor ends
// one.
type oneTxConn struct{ *stdlib.Conn }

func (c oneTxConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return c, nil
}
func (oneTxConn) Commit() error                      { return nil }
func (oneTxConn) Rollback() error                    { return nil }
func (oneTxConn) ResetSession(context.Context) error { return nil }
func (oneTxConn) Close() error                       { return nil }

func (db *DB) hasSchema(ctx context.Context) (exists bool, err error) {
	err = db.readRow(ctx, `SELECT to_regnamespace('pruned') IS NOT NULL`, nil, &exists)
	return exists, pgerr.Translate(err, "look for schema pruned")
}
