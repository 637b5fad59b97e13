package refindex

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	found, err := ReadColumn[string](ctx, t, `WITH `+unfitCTE+` SELECT what FROM unfit ORDER BY what`, pgx.NamedArgs{"schema": schema})
	if err == nil && len(found) > 0 {
		return &repo.Error{Kind: repo.Environment, Doing: "look at the database", Err: errors.New(strings.Join(found, "; "))}
	}
	return pgerr.Translate(err, "look at the database")
}

// lostTablesSQL finds tables that the index covers and that our role may not read any more: were
// they passed over like those that it never could read, the files that they mention would
// be free.
var lostTablesSQL = excludedCTE + `
SELECT n.nspname, c.relname, NOT has_schema_privilege(n.oid, 'USAGE') FROM pruned.relation r JOIN pg_class c ON c.oid = r.relid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT (` + readableSQL + `) AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
 ORDER BY 1, 2`

// refuseLost refuses to go on without a table that was searched until now, or whose rows
// were lost.
func (ix *Index) refuseLost(ctx context.Context, t pgx.Tx) error {
	lost, err := ix.findLost(ctx, t)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		return unreadableError(lost[0])
	}
	return refuseEmptied(ctx, t)
}

func (ix *Index) findLost(ctx context.Context, t pgx.Tx) ([]*relation, error) {
	rows, _ := t.Query(ctx, lostTablesSQL, ix.ExecMode(), ix.catalogArgs(nil))
	lost, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*relation, error) {
		r := &relation{}
		return r, row.Scan(&r.schema, &r.name, &r.closed)
	})
	return lost, pgerr.Translate(err, "look for tables that may not be read any more")
}

// LostPrivileges are the statements that let a role, quoted, read tables again that were
// searched until now.
func (ix *Index) LostPrivileges(ctx context.Context, t pgx.Tx, role string) (grants []string, err error) {
	readable, err := ReadColumn[bool](ctx, t, `
SELECT true FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'pruned' AND c.relname = 'relation' AND `+readableSQL)
	if err != nil || len(readable) == 0 {
		return nil, pgerr.Translate(err, "look for schema pruned")
	}
	lost, err := ix.findLost(ctx, t)
	for _, r := range lost {
		grants = append(grants, "GRANT "+r.missingPrivilege()+" TO "+role+";")
	}
	return slices.Compact(grants), err
}

// emptiedTablesSQL finds UNLOGGED tables without a single row that mentioned files: a crash
// empties such a table, and the files that it mentioned would be free.
const emptiedTablesSQL = `
SELECT r.relid::regclass::text FROM pruned.relation r JOIN pg_class c ON c.oid = r.relid
 WHERE c.relpersistence = 'u' AND pg_relation_size(c.oid) = 0 AND EXISTS (SELECT FROM pruned.reference f WHERE f.source = r.id)
 ORDER BY 1`

func refuseEmptied(ctx context.Context, t pgx.Tx) error {
	emptied, err := ReadColumn[string](ctx, t, emptiedTablesSQL)
	if err == nil && len(emptied) > 0 {
		return &repo.Error{Kind: repo.Environment, Doing: "look for references in table " + emptied[0],
			Err: fmt.Errorf("it is UNLOGGED and empty, and mentioned files: a crash empties such tables. Restore it; or, if nothing is missing, ALTER TABLE %s SET LOGGED;", emptied[0])}
	}
	return pgerr.Translate(err, "read table pruned.relation")
}

// unsearchedSQL lists tables that are not searched though nobody said so: whole schemas,
// tables of others that our role may not read, and foreign tables elsewhere, whose rows
// lie in another database.
var unsearchedSQL = relationsCTE + `
SELECT format('%I.*', n.nspname) FROM pg_namespace n
 WHERE ` + otherSchema + ` AND NOT has_schema_privilege(n.oid, 'USAGE')
   AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'f')
                  AND c.oid NOT IN (SELECT oid FROM relations) AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = ''))
UNION ALL
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE ` + otherSchema + ` AND has_schema_privilege(n.oid, 'USAGE') AND c.relkind IN ('r', 'p', 'f')
   AND c.oid NOT IN (SELECT oid FROM relations) AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
 ORDER BY 1`

// otherSchemasSQL lists the schemas other than the application's that are searched.
var otherSchemasSQL = relationsCTE + `
SELECT DISTINCT quote_ident(n.nspname) FROM relations JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> @schema::text ORDER BY 1`

// ListSearched lists the schemas other than the application's whose tables are searched,
// and the tables that are not searched: schema.table, or schema.* for a whole schema.
func (ix *Index) ListSearched(ctx context.Context, t pgx.Tx) (others, unsearched []string, err error) {
	if others, err = ReadColumn[string](ctx, t, otherSchemasSQL, ix.catalogArgs(nil)); err != nil {
		return nil, nil, pgerr.Translate(err, "list the schemas that are searched")
	}
	unsearched, err = ReadColumn[string](ctx, t, unsearchedSQL, ix.catalogArgs(nil))
	return others, unsearched, pgerr.Translate(err, "list what is not searched")
}

// ListTables lists, quoted and with their schemas, the tables that are read and those that
// a strict deletion locks.
func (ix *Index) ListTables(ctx context.Context, t pgx.Tx) (read, locked []string, err error) {
	relations, err := ix.readCatalog(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range relations {
		read = append(read, r.quotedName())
		for _, p := range r.parents {
			read = append(read, p.quotedName())
		}
		if r.needsOpener {
			read = append(read, r.grantsTable())
		}
	}
	if ix.Strict {
		locked = (&Plan{relations: relations}).lockableTables()
	}
	return read, locked, nil
}
