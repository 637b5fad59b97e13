package postgres

import (
	"context"
	"io/fs"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// ownTables are our tables in schema pruned, by name: the schema may have existed before,
// with foreign tables. migration_lock is a table of an earlier release.
var ownTables = append(createdBy("TABLE"), "migration", "migration_lock")

// ownSequences are our sequences that belong to no column, ownFunctions our functions
// with their parameters.
var (
	ownSequences = createdBy("SEQUENCE")
	ownFunctions = createdBy("FUNCTION")
)

// createdBy are the names of what our migrations create, so that no list has to be
// kept beside them.
func createdBy(kind string) (names []string) {
	made := regexp.MustCompile(`(?m)^CREATE ` + kind + ` (?:IF NOT EXISTS )?pruned\.(\w+(?:\([^)]*\))?)`)
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // of the pattern, which is a constant
	}
	for _, file := range files {
		text, err := migrations.ReadFile(file)
		if err != nil {
			panic(err) // what was embedded can be read
		}
		for _, match := range made.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
	}
	return names
}

// schemaEmptySQL tells whether schema pruned is empty.
const schemaEmptySQL = `
SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
   AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid)
   AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid)
  FROM pg_namespace n WHERE n.nspname = 'pruned'`

// Uninstall removes our tables from the database, and schema pruned unless something else
// is in it. A foreign view on one of our tables is in the way, and the error names it.
func (db *DB) Uninstall(ctx context.Context) error {
	return db.inOwnTx(ctx, func(t pgx.Tx) error {
		if never, err := neverMigrated(ctx, t); err != nil {
			return err
		} else if never {
			return dropIfEmpty(ctx, t)
		}
		if err := refindex.ReleaseInTx(ctx, t); err != nil {
			return err
		}
		for _, drop := range []struct {
			kind  string
			names []string
		}{{"TABLE", ownTables}, {"SEQUENCE", ownSequences}, {"FUNCTION", ownFunctions}} {
			for _, name := range drop.names {
				if _, err := t.Exec(ctx, `DROP `+drop.kind+` IF EXISTS pruned.`+name); err != nil {
					return pgerr.Translate(err, "drop %s pruned.%s", strings.ToLower(drop.kind), name)
				}
			}
		}
		return dropIfEmpty(ctx, t)
	})
}

func dropIfEmpty(ctx context.Context, t pgx.Tx) error {
	empty, err := refindex.ReadColumn[bool](ctx, t, schemaEmptySQL)
	if err == nil && len(empty) == 1 && empty[0] {
		_, err = t.Exec(ctx, `DROP SCHEMA pruned`)
	}
	return pgerr.Translate(err, "drop schema pruned")
}

// neverMigrated reports whether nothing in schema pruned is ours: the schema may hold
// foreign tables with our names, at which the first migration fails. It drops the table
// that goose made by then.
func neverMigrated(ctx context.Context, t pgx.Tx) (never bool, err error) {
	var started, migrated bool
	err = t.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = to_regclass('pruned.migration') AND attname = 'version_id' AND NOT attisdropped)`).Scan(&started)
	if err != nil || !started {
		return true, pgerr.Translate(err, "look for what is ours in schema pruned")
	}
	err = t.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pruned.migration WHERE version_id > 0)`).Scan(&migrated)
	if err == nil && !migrated {
		_, err = t.Exec(ctx, `DROP TABLE pruned.migration`)
	}
	return !migrated, pgerr.Translate(err, "look for what is ours in schema pruned")
}
