package refindex

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// lostSQL finds tables that the index covers and that our role may not read any more: were
// they passed over like those that it never could read, the files that they mention would
// be free.
var lostSQL = excludedCTE + `
SELECT n.nspname, c.relname FROM pruned.relation r JOIN pg_class c ON c.oid = r.relid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT (` + readableSQL + `) AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
 ORDER BY 1, 2`

// refuseLost refuses to go on without a table that was searched until now, or whose rows
// were lost.
func (ix *Index) refuseLost(ctx context.Context, t pgx.Tx) error {
	rows, _ := t.Query(ctx, lostSQL, ix.catalogArgs(nil))
	lost, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*relation, error) {
		r := &relation{}
		return r, row.Scan(&r.schema, &r.name)
	})
	if err == nil && len(lost) > 0 {
		return unreadableError(lost[0])
	}
	if err != nil {
		return pgerr.Translate(err, "look for tables that may not be read any more")
	}
	return refuseEmptied(ctx, t)
}

// emptiedSQL finds UNLOGGED tables without a single row that mentioned files: a crash
// empties such a table, and the files that it mentioned would be free.
const emptiedSQL = `
SELECT r.relid::regclass::text FROM pruned.relation r JOIN pg_class c ON c.oid = r.relid
 WHERE c.relpersistence = 'u' AND pg_relation_size(c.oid) = 0 AND EXISTS (SELECT FROM pruned.reference f WHERE f.source = r.id)
 ORDER BY 1`

// refuseEmptied refuses a table that a crash emptied.
func refuseEmptied(ctx context.Context, t pgx.Tx) error {
	emptied, err := readTexts(ctx, t, emptiedSQL)
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
 WHERE ` + elsewhere + ` AND NOT has_schema_privilege(n.oid, 'USAGE')
   AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'f')
                  AND c.oid NOT IN (SELECT oid FROM relations) AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = ''))
UNION ALL
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE ` + elsewhere + ` AND has_schema_privilege(n.oid, 'USAGE') AND c.relkind IN ('r', 'p', 'f')
   AND c.oid NOT IN (SELECT oid FROM relations) AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
 ORDER BY 1`

// othersSQL lists the schemas other than the application's that are searched.
var othersSQL = relationsCTE + `
SELECT DISTINCT quote_ident(n.nspname) FROM relations JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> @schema::text ORDER BY 1`

// ListSearched lists the schemas other than the application's whose tables are searched,
// and the tables that are not searched: schema.table, or schema.* for a whole schema.
func (ix *Index) ListSearched(ctx context.Context, t pgx.Tx) (others, unsearched []string, err error) {
	if others, err = readTexts(ctx, t, othersSQL, ix.catalogArgs(nil)); err != nil {
		return nil, nil, pgerr.Translate(err, "list the schemas that are searched")
	}
	unsearched, err = readTexts(ctx, t, unsearchedSQL, ix.catalogArgs(nil))
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
	}
	if ix.Strict {
		locked = (&Plan{relations: relations}).lockableTables()
	}
	return read, locked, nil
}
