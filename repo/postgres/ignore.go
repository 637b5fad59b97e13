package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

// exclusions are what keeps no file: a table, a column (table.column), or what
// lies at a path of a column's JSON (table.column.path). They are part of each
// table's signature, so that a table is read whole again when they change.
func (o Options) exclusions() []string {
	list := slices.Concat(exceptions, o.Ignore)
	if o.CitationsIgnore {
		list = append(list, repo.Citations...)
	}
	return list
}

// ignoredSQL says of each exclusion what of it is missing: the table, the column,
// or nothing. $1 is the schema.
const ignoredSQL = `
SELECT e, CASE WHEN c.oid IS NULL THEN 'table ' || e.name[1]
               WHEN e.name[2] IS NULL OR EXISTS (
                    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = e.name[2] AND a.attnum > 0 AND NOT a.attisdropped) THEN ''
               ELSE 'column ' || e.name[2] END
  FROM (SELECT e, string_to_array(e, '.') FROM unnest($2::text[]) e) e (e, name)
  LEFT JOIN (pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1::text)
         ON c.relname = e.name[1] AND c.relkind IN ('r', 'p', 'f')`

// recognizeIgnored refuses a list with a name that does not exist: it would keep
// what somebody wanted gone, and say nothing.
func (db *DB) recognizeIgnored(ctx context.Context) error {
	var problems []error
	var names []string
	for _, name := range db.options.Ignore {
		if parts := strings.Split(name, "."); len(parts) > 2 || slices.Contains(parts, "") {
			problems = append(problems, fmt.Errorf("%q is neither a table nor table.column", name))
		} else {
			names = append(names, name)
		}
	}
	rows, _ := db.pool.Query(ctx, ignoredSQL, db.schema, names)
	var name, missing string
	_, err := pgx.ForEachRow(rows, []any{&name, &missing}, func() error {
		if missing != "" {
			problems = append(problems, fmt.Errorf("%q: schema %s has no such %s", name, db.schema, missing))
		}
		return nil
	})
	if err != nil {
		return translate(err, "look for what PRUNED_IGNORE names")
	}
	if len(problems) > 0 {
		return &repo.Error{Kind: repo.Environment, Doing: "read PRUNED_IGNORE", Err: errors.Join(problems...)}
	}
	return nil
}
