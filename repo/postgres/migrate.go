package postgres

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"pruned/repo"
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
	return db.inNewTx(ctx, migrateTimeout, func(t repo.Tx) error {
		if _, err := t.Exec(ctx, lockMigrationsSQL); err != nil {
			return translate(err, "wait for another migration")
		}
		if err := db.makeSchema(ctx); err != nil {
			return err
		}
		return db.migrate(ctx)
	})
}

// makeSchema makes schema pruned: goose makes its own table first, and not the
// schema for it.
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
	return translate(err, "create schema pruned (GRANT CREATE ON DATABASE %s, or create it by hand)", db.identity.Name)
}

// migrate runs goose in sessions with the role's own search path. Its statements,
// and those of our migrations, compare nothing but values of one type that is
// PostgreSQL's own, which nobody's operator fits better.
func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	handle := stdlib.OpenDBFromPool(db.pool)
	defer handle.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, files,
		goose.WithTableName("pruned.migration"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return translate(err, "prepare the migrations of schema pruned")
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return translate(err, "read the version of schema pruned")
	}
	if pending {
		if _, err := provider.Up(ctx); err != nil {
			return translate(err, "migrate schema pruned")
		}
	}
	return db.settle(ctx)
}

// hasSchema says whether schema pruned exists.
func (db *DB) hasSchema(ctx context.Context) (exists bool, err error) {
	err = db.readRow(ctx, `SELECT to_regnamespace('pruned') IS NOT NULL`, nil, &exists)
	return exists, translate(err, "look for schema pruned")
}
