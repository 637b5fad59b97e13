package sqlite

import (
	"context"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"pruned/repo"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where goose notes what was applied.
const versionTable = "pruned_migration"

// store is goose's, but for its table: with AUTOINCREMENT SQLite would make a
// table of its own that nobody can remove again.
type store struct{ database.Store }

// CreateVersionTable implements database.Store.
func (s store) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE `+versionTable+` (
		id INTEGER PRIMARY KEY, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`)
	return err
}

// Migrate brings our own tables up to date, and makes them this installation's.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.migrate(ctx); err != nil {
		return err
	}
	return db.settle(ctx)
}

func (db *DB) migrate(ctx context.Context) error {
	if err := db.turn.take(ctx); err != nil {
		return err
	}
	defer db.turn.giveBack()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	inner, err := database.NewStore(goose.DialectSQLite3, versionTable)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectCustom, db.pool, files,
		goose.WithStore(store{inner}), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return translate(err, "prepare the migrations")
	}
	pending, err := provider.HasPending(ctx)
	if err == nil && pending {
		_, err = provider.Up(ctx)
	}
	if err != nil {
		return translate(err, "migrate our own tables")
	}
	return nil
}

// Uninstall removes everything of ours from the database.
func (db *DB) Uninstall(ctx context.Context) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		ours, err := db.ourTables(ctx)
		if err != nil {
			return err
		}
		for _, name := range ours {
			if _, err := t.Exec(ctx, `DROP TABLE `+quote(name)); err != nil {
				return err
			}
		}
		return nil
	})
}
