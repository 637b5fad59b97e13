package postgres

import (
	"context"
	"io/fs"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ownTables are our tables in schema pruned, by name: the schema may have been
// there before us, with tables of somebody else's. The last is what an earlier
// release took turns by.
var ownTables = append(madeBy("TABLE"), "migration", "migration_lock")

// ownSequences are our sequences that belong to no column, ownFunctions our functions
// with their parameters.
var (
	ownSequences = madeBy("SEQUENCE")
	ownFunctions = madeBy("FUNCTION")
)

// madeBy are the names of what our migrations create, so that no list has to be
// kept beside them.
func madeBy(kind string) (names []string) {
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

// emptySQL asks whether anything of anybody's is left in schema pruned.
const emptySQL = `
SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
   AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid)
   AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid)
  FROM pg_namespace n WHERE n.nspname = 'pruned'`

// Uninstall removes everything of ours from the database, and schema pruned unless
// somebody else keeps something there. A view of somebody else's on a table of ours
// is in the way, and is named by the error.
func (db *DB) Uninstall(ctx context.Context) error {
	return db.read(ctx, func(t pgx.Tx) error {
		if never, err := neverMigrated(ctx, t); err != nil {
			return err
		} else if never {
			return dropIfEmpty(ctx, t)
		}
		for _, drop := range []struct {
			kind  string
			names []string
		}{{"TABLE", ownTables}, {"SEQUENCE", ownSequences}, {"FUNCTION", ownFunctions}} {
			for _, name := range drop.names {
				if _, err := t.Exec(ctx, `DROP `+drop.kind+` IF EXISTS pruned.`+name); err != nil {
					return translate(err, "drop %s pruned.%s", strings.ToLower(drop.kind), name)
				}
			}
		}
		return dropIfEmpty(ctx, t)
	})
}

func dropIfEmpty(ctx context.Context, t pgx.Tx) error {
	rows, _ := t.Query(ctx, emptySQL)
	empty, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err == nil && len(empty) == 1 && empty[0] {
		_, err = t.Exec(ctx, `DROP SCHEMA pruned`)
	}
	return translate(err, "drop schema pruned")
}
