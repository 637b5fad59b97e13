package postgres

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings our own tables, in schema pruned, up to date. Replicas that
// start together exclude each other by a table: a session lock does not survive
// a pooler.
func (db *DB) Migrate(ctx context.Context) error {
	// goose makes its own table first, and does not make the schema for it.
	if _, err := db.pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS pruned`); err != nil {
		exists, lookErr := db.hasSchema(ctx)
		if lookErr != nil || !exists {
			return translate(err, "create schema pruned (GRANT CREATE ON DATABASE %s, or create it by hand)", db.identity.Name)
		}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// For longer than the lease of a holder that was killed.
	locker, err := lock.NewPostgresTableLocker(lock.WithTableName("pruned.migration_lock"),
		lock.WithTableLockTimeout(100*time.Millisecond, 600))
	if err != nil {
		return err
	}
	handle := stdlib.OpenDBFromPool(db.pool)
	defer handle.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, handle, files,
		goose.WithTableName("pruned.migration"), goose.WithLocker(locker), goose.WithDisableGlobalRegistry(true))
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

// Migrated says whether schema pruned exists.
func (db *DB) hasSchema(ctx context.Context) (exists bool, err error) {
	err = db.pool.QueryRow(ctx, `SELECT to_regnamespace('pruned') IS NOT NULL`).Scan(&exists)
	return exists, translate(err, "look for schema pruned")
}

// Uninstall removes everything of ours from the database.
func (db *DB) Uninstall(ctx context.Context) error {
	_, err := db.pool.Exec(ctx, `DROP SCHEMA IF EXISTS pruned CASCADE`)
	return translate(err, "drop schema pruned")
}
