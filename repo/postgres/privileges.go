package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// Privileges finds the required privileges that this role lacks; it reads catalogs alone.
func (db *DB) Privileges(ctx context.Context) ([]repo.Finding, error) {
	var missing []string
	var role string
	err := db.InTx(ctx, nil, func(t repo.Tx) error {
		var schema bool
		err := pgxTx(t).QueryRow(ctx, `SELECT quote_ident(current_user), to_regnamespace('pruned') IS NOT NULL
			OR has_database_privilege(current_database(), 'CREATE')`).Scan(&role, &schema)
		if err != nil {
			return pgerr.Translate(err, "read privileges")
		}
		if missing, err = db.missingStatements(ctx, pgxTx(t), role); !schema {
			missing = append(missing, "CREATE SCHEMA pruned AUTHORIZATION "+role+";")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(missing) == 0 {
		return []repo.Finding{{Check: "privileges", OK: true, Detail: "role " + role + " may read every table and delete files"}}, nil
	}
	return []repo.Finding{{Check: "privileges", Detail: "role " + role + " lacks some; nothing is deleted while a table cannot be searched",
		Remedy: strings.Join(missing, " ")}}, nil
}

// missingStatements are those that give our role, quoted, what it lacks in a database that
// it can open.
func (db *DB) missingStatements(ctx context.Context, t pgx.Tx, role string) (list []string, err error) {
	wanted, err := db.requiredPrivileges(ctx, t)
	if err != nil {
		return nil, err
	}
	lacking, err := missingPrivileges(ctx, t, wanted)
	if err != nil {
		return nil, err
	}
	lost, err := db.index.LostPrivileges(ctx, t, role)
	if err != nil {
		return nil, err
	}
	decrypts, err := db.decryptStatements(ctx, t, role, false)
	if err != nil {
		return nil, err
	}
	list = grantStatements(lacking, role)
	lost = slices.DeleteFunc(lost, func(s string) bool { return slices.Contains(list, s) })
	foreign, err := refindex.ReadColumn[string](ctx, t, ownershipSQL, role, false)
	return slices.Concat(list, lost, decrypts, foreign), pgerr.Translate(err, "look at schema pruned")
}

// missingSQL numbers the privileges, on tables or on columns, that our role lacks.
const missingSQL = `
SELECT i FROM unnest(@tables::text[], @privileges::text[], @columns::text[]) WITH ORDINALITY u (name, privilege, col, i)
 WHERE NOT CASE WHEN u.col = '' THEN has_table_privilege(u.name, u.privilege)
                ELSE has_column_privilege(u.name, u.col, u.privilege) END
 ORDER BY i`

// missingPrivileges returns those of the list that our own role lacks.
func missingPrivileges(ctx context.Context, t pgx.Tx, list []requirement) (missing []requirement, err error) {
	var tables, privileges, columns []string
	for _, w := range list {
		privilege, column, _ := strings.Cut(strings.TrimSuffix(w.privilege, ")"), " (")
		if w.instead != "" {
			privilege += ", " + w.instead
		}
		tables, privileges, columns = append(tables, w.table), append(privileges, privilege), append(columns, column)
	}
	indexes, err := refindex.ReadColumn[int](ctx, t, missingSQL, pgx.NamedArgs{"tables": tables, "privileges": privileges, "columns": columns})
	for _, i := range indexes {
		missing = append(missing, list[i-1])
	}
	return missing, pgerr.Translate(err, "read privileges")
}

// decryptSQL lists what reading encrypted chunks of table $1 takes besides: a function of the
// session, which lies among its temporary tables, and those of pgcrypto. $3: also what the
// current role has already.
const decryptSQL = `
SELECT statement FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid CROSS JOIN LATERAL (
    SELECT has_database_privilege(current_database(), 'TEMPORARY'), format('GRANT TEMPORARY ON DATABASE %I TO %s;', current_database(), $2::text)
    UNION ALL
    SELECT has_schema_privilege(n.oid, 'USAGE'), format('GRANT USAGE ON SCHEMA %I TO %s;', n.nspname, $2::text)
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto' AND n.oid <> c.relnamespace) s (has, statement)
 WHERE c.oid = to_regclass($1) AND a.attname = 'vmetadata' AND a.atttypid = 'pg_catalog.bytea'::regtype AND ($3 OR NOT s.has)`

func (db *DB) decryptStatements(ctx context.Context, t pgx.Tx, role string, all bool) (list []string, err error) {
	chunks, err := refindex.ReadColumn[string](ctx, t, chunksSQL, db.path)
	for _, schema := range chunks {
		if err == nil {
			list, err = refindex.ReadColumn[string](ctx, t, decryptSQL, pgx.Identifier{schema, openwebui.VectorTable}.Sanitize(), role, all)
		}
	}
	return list, pgerr.Translate(err, "look whether the chunks of table %s are encrypted", openwebui.VectorTable)
}
