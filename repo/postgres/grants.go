package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// requirement is a privilege that pruned needs on a table of the application's; any of
// those in instead does as well.
type requirement struct {
	privilege string
	table     string // quoted, with its schema
	instead   string // for has_table_privilege
}

// lockColumn is the column of table file that we may change, and never do: to
// lock rows takes that privilege on one column.
const lockColumn = "updated_at"

// requiredPrivileges lists the least that pruned can do with.
func (db *DB) requiredPrivileges(ctx context.Context, t pgx.Tx) (list []requirement, err error) {
	tables, locked, err := db.index.ListTables(ctx, t)
	if err != nil {
		return nil, err
	}
	owners, err := refindex.ReadColumn[string](ctx, t, `SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NOT NULL`, db.ownerTables())
	if err != nil {
		return nil, pgerr.Translate(err, "look for the tables that vectors live by")
	}
	tables = append(append(tables, db.quotedTable("alembic_version"), db.quotedTable("file")), owners...)
	slices.Sort(tables)
	for _, table := range slices.Compact(tables) {
		list = append(list, requirement{privilege: "SELECT", table: table})
	}
	list = append(list, requirement{privilege: "DELETE", table: db.quotedTable("file")},
		requirement{privilege: "UPDATE (" + lockColumn + ")", table: db.quotedTable("file")})
	unbound, err := db.requiredForLinks(ctx, t)
	if db.options.RemovesDangling {
		unbound = db.addForDangling(unbound, tables)
	}
	list = append(list, unbound...)
	for _, table := range locked {
		if !slices.Contains(list, requirement{privilege: "DELETE", table: table}) {
			list = append(list, requirement{privilege: lockPrivilege(t), table: table, instead: "UPDATE, DELETE, TRUNCATE"})
		}
	}
	return list, err
}

// addForDangling adds the privileges to delete dangling rows of the tables that are read.
func (db *DB) addForDangling(list []requirement, read []string) []requirement {
	for _, name := range openwebui.DanglingTables {
		deletes := requirement{privilege: "DELETE", table: db.quotedTable(name)}
		if slices.Contains(read, deletes.table) && !slices.Contains(list, deletes) {
			list = append(list, deletes)
		}
	}
	return list
}

// requiredForLinks lists the privileges for dead links that no foreign key deletes, and
// for vectors in this database.
func (db *DB) requiredForLinks(ctx context.Context, t pgx.Tx) (list []requirement, err error) {
	unbound, err := db.index.UnenforcedLinks(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, l := range unbound {
		list = append(list, requirement{privilege: "DELETE", table: l.Table})
	}
	chunks, err := refindex.ReadColumn[string](ctx, t, chunksSQL, db.path)
	if err != nil {
		return nil, pgerr.Translate(err, "look for table %s", openwebui.VectorTable)
	}
	for _, schema := range chunks {
		for _, privilege := range []string{"SELECT", "UPDATE", "DELETE"} {
			list = append(list, requirement{privilege: privilege, table: pgx.Identifier{schema, openwebui.VectorTable}.Sanitize()})
		}
	}
	return list, nil
}

// chunksSQL returns the schema of the vectors, of which DATABASE_SCHEMA says nothing: the
// first of the role's own path, $1.
const chunksSQL = `
SELECT s FROM unnest($1::text[]) WITH ORDINALITY u (s, i)
 WHERE to_regclass(format('%I.` + openwebui.VectorTable + `', s)) IS NOT NULL ORDER BY i LIMIT 1`

// lockPrivilege is the privilege by which strict deletions lock tables. Before PostgreSQL
// 17 a role can lock only tables that it can change.
func lockPrivilege(t pgx.Tx) string {
	var version int
	_, _ = fmt.Sscanf(t.Conn().PgConn().ParameterStatus("server_version"), "%d", &version)
	if version < 17 {
		return "UPDATE"
	}
	return "MAINTAIN"
}

// grantStatements returns one GRANT for each privilege.
func grantStatements(list []requirement, role string) (grants []string) {
	tables := map[string][]string{}
	var privileges []string
	for _, w := range list {
		if tables[w.privilege] == nil {
			privileges = append(privileges, w.privilege)
		}
		tables[w.privilege] = append(tables[w.privilege], w.table)
	}
	for _, p := range privileges {
		grants = append(grants, fmt.Sprintf("GRANT %s ON %s TO %s;", p, strings.Join(tables[p], ", "), role))
	}
	return grants
}

// ownershipSQL hands schema pruned to role $1, quoted: migrations alter tables, which
// takes their owner. A sequence of a column goes with its table. $2: also what is the
// current role's already.
const ownershipSQL = `
SELECT statement FROM (
    SELECT nspowner, format('ALTER SCHEMA pruned OWNER TO %s;', $1::text) FROM pg_namespace WHERE nspname = 'pruned'
    UNION ALL
    SELECT c.relowner, format('ALTER %s %s OWNER TO %s;', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass, $1::text)
      FROM pg_class c WHERE c.relnamespace = to_regnamespace('pruned') AND c.relkind IN ('r', 'S')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
                          AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT proowner, format('ALTER FUNCTION %s OWNER TO %s;', oid::regprocedure, $1::text) FROM pg_proc WHERE pronamespace = to_regnamespace('pruned')
) o (owner, statement)
 WHERE $2 OR NOT pg_has_role(owner, 'USAGE')`

// Grants returns the statements, for a superuser or the owner, that let a role run pruned
// with these settings, and nothing more. The last lets it read the tables that later
// releases of Open WebUI will make.
func (db *DB) Grants(ctx context.Context, role string) (list []string, err error) {
	role = refindex.QuoteName(role)
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		wanted, err := db.requiredPrivileges(ctx, pgxTx(t))
		if err != nil {
			return err
		}
		ours, err := refindex.ReadColumn[string](ctx, pgxTx(t), ownershipSQL, role, true)
		if err != nil {
			return pgerr.Translate(err, "look at schema pruned")
		}
		if len(ours) == 0 {
			ours = []string{"CREATE SCHEMA pruned AUTHORIZATION " + role + ";"}
		}
		if slices.ContainsFunc(ours, refindex.NamesCapture) {
			// Else whoever writes to a captured table fails in between: its triggers run as their owner.
			ours = slices.Concat([]string{"BEGIN;"}, ours, []string{"COMMIT;"})
		}
		decrypts, err := db.decryptStatements(ctx, pgxTx(t), role, true)
		if err != nil {
			return err
		}
		later := []string{"SELECT"}
		if db.options.Strict {
			later = append(later, lockPrivilege(pgxTx(t)))
		}
		var owner string
		err = pgxTx(t).QueryRow(ctx, `SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = $1::regclass`, db.quotedTable("file")).Scan(&owner)
		list = slices.Concat([]string{
			fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s;", refindex.QuoteName(db.identity.Name), role),
			fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", strings.Join(schemasOf(wanted), ", "), role),
		}, grantStatements(wanted, role), decrypts, ours, []string{
			fmt.Sprintf("ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s GRANT %s ON TABLES TO %s;", refindex.QuoteName(owner), refindex.QuoteName(db.schema), strings.Join(later, ", "), role),
		})
		return pgerr.Translate(err, "look for the owner of table file")
	})
	return list, err
}

// schemasOf are the schemas of the tables, quoted, each once.
func schemasOf(list []requirement) (schemas []string) {
	for _, w := range list {
		schema := w.table[:strings.Index(w.table, `"."`)+1]
		if !slices.Contains(schemas, schema) {
			schemas = append(schemas, schema)
		}
	}
	return schemas
}
