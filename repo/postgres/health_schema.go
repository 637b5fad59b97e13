package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// examineSchema tells whose tables were found: without DATABASE_SCHEMA that is a guess
// by our own role's search path, where the application goes by its role's.
func (db *DB) examineSchema(ctx context.Context) ([]repo.Finding, error) {
	var role string
	var all []string
	err := db.read(ctx, func(t pgx.Tx) (err error) {
		if err = t.QueryRow(ctx, `SELECT session_user::text`).Scan(&role); err != nil {
			return err
		}
		rows, _ := t.Query(ctx, installationsSQL)
		all, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, pgerr.Translate(err, "look for Open WebUI's tables")
	}
	f := repo.Finding{Check: "schema", OK: true, Detail: "Open WebUI's tables are in schema " + quote(db.schema)}
	if db.options.Schema == "" {
		f.Detail += " (DATABASE_SCHEMA is unset: the first of role " + quote(role) + "'s search path that has them)"
	}
	if others := slices.DeleteFunc(all, func(s string) bool { return s == db.schema }); len(others) > 0 {
		f.Detail += "; another Open WebUI's are in " + strings.Join(others, ", ")
		f.Do = "set DATABASE_SCHEMA to the one that is meant"
	}
	if role == "pruned" {
		f.Detail += "; role pruned has our own schema before it on its search path, so that an application that connects as this role would make new tables there"
		f.Do = "ALTER ROLE pruned SET search_path = " + quote(db.schema) + ", public;"
	}
	return []repo.Finding{f}, nil
}
