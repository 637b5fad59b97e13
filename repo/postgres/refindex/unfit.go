package refindex

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// unfitCTE finds the reasons for which no answer of the database can be believed, a
// sentence each.
//
// A view in place of one of the application's tables: its rows lie elsewhere. A foreign
// table: its rows lie on another server, where nothing tells us which of them changed.
//
// A collation whose version is not the one that indexes were built with: an index in
// another order does not find rows that are there, so that a file in use is "gone". The
// default collation stands for the database's, whose version PostgreSQL keeps from 15 on.
var unfitCTE = `
used (oid) AS MATERIALIZED (
    SELECT DISTINCT unnest(i.indcollation::oid[]) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
), unfit (what) AS (
    SELECT format('%s is a %s and no table: nothing tells which of the rows that it shows changed. Make it a table of schema %I again', c.oid::regclass,
                  CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, @schema::text)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = @schema::text AND c.relkind IN ('v', 'm', 'f') AND c.relname = ANY ('{` + strings.Join(openwebui.Tables, ",") + `}')
    UNION ALL
    SELECT format('the indexes of database %I were built with version %s of its collation, and this server has version %s: they may not find rows that are there. REINDEX DATABASE %1$I; ALTER DATABASE %1$I REFRESH COLLATION VERSION;',
                  d.datname, to_jsonb(d) ->> 'datcollversion', v.actual)
      FROM pg_database d CROSS JOIN (SELECT coalesce(pg_collation_actual_version('pg_catalog."default"'::regcollation), 'none')) v (actual)
     WHERE d.datname = current_database() AND to_jsonb(d) ->> 'datcollversion' <> v.actual
    UNION ALL
    SELECT format('indexes were built with version %s of collation %s, and this server has version %s: they may not find rows that are there. REINDEX DATABASE %I; ALTER COLLATION %2$s REFRESH VERSION;',
                  c.collversion, c.oid::regcollation, v.actual, current_database())
      FROM used JOIN pg_collation c USING (oid) CROSS JOIN LATERAL (SELECT coalesce(pg_collation_actual_version(c.oid), 'none')) v (actual)
     WHERE c.collversion <> v.actual
)`

// RefuseUnfit refuses a database of which no answer can be believed.
func RefuseUnfit(ctx context.Context, t pgx.Tx, schema string) error {
	rows, _ := t.Query(ctx, `WITH `+unfitCTE+` SELECT what FROM unfit ORDER BY what`, pgx.NamedArgs{"schema": schema})
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err == nil && len(found) > 0 {
		return &repo.Error{Kind: repo.Environment, Doing: "look at the database", Err: errors.New(strings.Join(found, "; "))}
	}
	return pgerr.Translate(err, "look at the database")
}
