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

// versionStore is goose's, but for its table: with AUTOINCREMENT SQLite would make a
// table of its own that nobody can remove again.
type versionStore struct{ database.Store }

// CreateVersionTable implements database.Store.
func (s versionStore) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE `+versionTable+` (
		id INTEGER PRIMARY KEY, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`)
	return err
}

// Migrate brings our own tables up to date, and makes them this installation's.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.applyMigrations(ctx); err != nil {
		return err
	}
	return db.recordStay(ctx)
}

func (db *DB) applyMigrations(ctx context.Context) error {
	if err := db.mutex.lock(ctx); err != nil {
		return err
	}
	defer db.mutex.unlock()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	inner, err := database.NewStore(goose.DialectSQLite3, versionTable)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectCustom, db.pool, files,
		goose.WithStore(versionStore{inner}), goose.WithDisableGlobalRegistry(true))
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
			if _, err := t.Exec(ctx, `DROP TABLE `+quoteIdent(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ourTables are the tables of ours that are there. Where no migration was applied, as
// where somebody else's table has the name of one of ours, only goose's is.
func (db *DB) ourTables(ctx context.Context) ([]string, error) {
	names := ownTables()
	var versions int
	_, err := queryOne(ctx, db.pool, `SELECT count(*) FROM pragma_table_info('`+versionTable+`') WHERE name = 'version_id'`, nil, &versions)
	if err != nil || versions == 0 {
		return nil, translate(err, "look for our own tables")
	}
	_, err = queryOne(ctx, db.pool, `SELECT count(*) FROM `+versionTable+` WHERE version_id > 0`, nil, &versions)
	if err != nil {
		return nil, translate(err, "read the version of our own tables")
	}
	if versions == 0 {
		names = []string{versionTable}
	}
	ours, err := queryColumn[string](ctx, db.pool, `SELECT name FROM sqlite_schema
		WHERE type = 'table' AND name IN (SELECT value FROM json_each(?1))`, jsonList(names))
	return ours, translate(err, "list our own tables")
}
