package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// possibleExclusions lists the exclusions that a name in PRUNED_IGNORE may stand for, the
// likeliest first.
func possibleExclusions(name string) []string {
	switch parts := strings.Split(name, "."); {
	case slices.Contains(parts, "") || len(parts) > 3:
		return nil
	case len(parts) == 1:
		return []string{"." + name}
	case len(parts) == 3 || parts[1] == "*":
		return []string{name}
	}
	return []string{"." + name, name}
}

// ignoredSQL returns for each exclusion $2 which part of it is missing: the schema, the
// table, the column, or none. $1 is the application's schema, which cannot be excluded as
// a whole.
const ignoredSQL = `
SELECT e, CASE WHEN n.oid IS NULL THEN 'there is no such schema'
               WHEN e.name[2] = '*' THEN CASE n.nspname WHEN $1::text THEN 'that is Open WebUI''s own schema' ELSE '' END
               WHEN c.oid IS NULL THEN format('schema %s has no such table %s', n.nspname, e.name[2])
               WHEN e.name[3] IS NULL OR EXISTS (
                    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = e.name[3] AND a.attnum > 0 AND NOT a.attisdropped) THEN ''
               ELSE format('schema %s has no such column %s', n.nspname, e.name[3]) END
  FROM (SELECT e, string_to_array(e, '.') FROM unnest($2::text[]) e) e (e, name)
  LEFT JOIN pg_namespace n ON n.nspname = coalesce(nullif(e.name[1], ''), $1::text)
  LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = e.name[2] AND c.relkind IN ('r', 'p', 'f')`

// recognizeIgnored turns PRUNED_IGNORE into exclusions, with our own tables, and refuses a
// name that does not exist: it would keep files that somebody wanted gone, and say
// nothing.
func (db *DB) recognizeIgnored(ctx context.Context) (ignored []string, err error) {
	var all []string
	for _, name := range db.options.Ignore {
		all = append(all, possibleExclusions(name)...)
	}
	missing := map[string]string{}
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, ignoredSQL, db.schema, all)
		var reading, what string
		_, err := pgx.ForEachRow(rows, []any{&reading, &what}, func() error {
			missing[reading] = what
			return nil
		})
		return err
	})
	if err != nil {
		return nil, pgerr.Translate(err, "look for what PRUNED_IGNORE names")
	}
	var problems []error
	for _, name := range db.options.Ignore {
		possible := possibleExclusions(name)
		i := slices.IndexFunc(possible, func(reading string) bool { return missing[reading] == "" })
		switch {
		case len(possible) == 0:
			problems = append(problems, fmt.Errorf("%q is neither a table nor a column: wanted table, table.column, schema.*, schema.table or schema.table.column", name))
		case i < 0:
			problems = append(problems, fmt.Errorf("%q: %s", name, missing[possible[0]]))
		default:
			ignored = append(ignored, possible[i])
		}
	}
	if len(problems) > 0 {
		return nil, &repo.Error{Kind: repo.Environment, Doing: "read PRUNED_IGNORE", Err: errors.Join(problems...)}
	}
	for _, name := range ownTables {
		ignored = append(ignored, "pruned."+name)
	}
	return ignored, nil
}
