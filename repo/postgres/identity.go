package postgres

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
	"pruned/repo/postgres/refindex"
)

// Installation names the database and the cluster of one installation.
type Installation struct {
	System   string // system identifier of the cluster
	Database uint32 // oid
	Schema   string
	Name     string // of the database; for people, no part of the identity

	suffix string // tells it from its copies
}

// String is the key of the installation.
func (i Installation) String() string { return i.baseKey() + i.suffix }

// baseKey is the part of the key that a database shares with its physical copies.
func (i Installation) baseKey() string {
	return fmt.Sprintf("%s/%d/%s", i.System, i.Database, i.Schema)
}

// rolePathSQL returns the role's own search path, which later transactions do not see, and
// whether the server is a standby.
const rolePathSQL = `SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_database()::pg_catalog.text,
       pg_catalog.array_remove(pg_catalog.current_schemas(false), 'pruned'::pg_catalog.name)::pg_catalog.text[]`

// recognizeSQL takes for the application's schema the one that was set ($1), or the first
// of the path ($2) with the application's tables: our role may have a schema of its own
// name before that, which is our own if it is called pruned.
const recognizeSQL = `
SELECT current_setting('server_version_num')::int,
       coalesce(nullif($1::text, ''),
                (SELECT n FROM unnest($2::text[]) WITH ORDINALITY u (n, i)
                  WHERE to_regclass(format('%I.file', n)) IS NOT NULL AND to_regclass(format('%I.alembic_version', n)) IS NOT NULL ORDER BY i LIMIT 1),
                ($2::text[])[1], ''),
       current_database(),
       (SELECT oid FROM pg_database WHERE datname = current_database())`

// refusal makes the error for a database that pruned cannot work with.
type refusal func(format string, args ...any) error

// recognizeDatabase reads the identity of this database, and refuses one that pruned
// cannot work with.
func (db *DB) recognizeDatabase(ctx context.Context) error {
	var standby bool
	var name string
	var path []string
	if err := db.pool.QueryRow(ctx, rolePathSQL).Scan(&standby, &name, &path); err != nil {
		return pgerr.Translate(err, "connect to PostgreSQL")
	}
	if standby {
		return &repo.Error{Kind: repo.Environment, Doing: "open database " + name,
			Err: errors.New("this server is a standby (pg_is_in_recovery): DATABASE_URL must name the primary")}
	}
	return db.inOwnTx(ctx, func(t pgx.Tx) error { return db.recognizeInTx(ctx, t, path) })
}

func (db *DB) recognizeInTx(ctx context.Context, t pgx.Tx, path []string) error {
	var version int
	var id Installation
	err := t.QueryRow(ctx, recognizeSQL, db.options.Schema, path).Scan(&version, &id.Schema, &id.Name, &id.Database)
	if err != nil {
		return pgerr.Translate(err, "connect to PostgreSQL")
	}
	refuse := func(format string, args ...any) error {
		return &repo.Error{Kind: repo.Environment, Doing: "open database " + id.Name, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case version < 140000:
		return refuse("PostgreSQL %d is too old: 14 or later is needed", version/10000)
	case id.Schema == "":
		return refuse("no schema of search_path exists: set DATABASE_SCHEMA")
	case id.Schema == "pruned" || strings.HasPrefix(id.Schema, "pg_"):
		return refuse("DATABASE_SCHEMA %q cannot hold the application's tables", id.Schema)
	}
	if err := t.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&id.System); err != nil {
		return pgerr.Translate(err, "read the system identifier (GRANT EXECUTE ON FUNCTION pg_control_system() helps if it is a matter of privilege)")
	}
	if err := recognizeTables(ctx, t, id, refuse); err != nil {
		return err
	}
	if err := refindex.RefuseUnfit(ctx, t, id.Schema); err != nil {
		return err
	}
	if err := recognizeColumns(ctx, t, id.Schema, refuse); err != nil {
		return err
	}
	db.schema, db.path, db.identity = id.Schema, path, id
	return nil
}

// installationsSQL lists the schemas with the application's tables.
const installationsSQL = `
SELECT n.nspname::text FROM pg_namespace n
 WHERE to_regclass(format('%I.file', n.nspname)) IS NOT NULL AND to_regclass(format('%I.alembic_version', n.nspname)) IS NOT NULL
   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
 ORDER BY 1`

const tablesSQL = `
SELECT to_regclass(format('%I.file', $1::text)) IS NOT NULL,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')),
       to_regclass(format('%I.alembic_version', $1::text)) IS NOT NULL`

func recognizeTables(ctx context.Context, t pgx.Tx, id Installation, refuse refusal) error {
	var hasFile, hasAlembic bool
	var tables int
	err := t.QueryRow(ctx, tablesSQL, id.Schema).Scan(&hasFile, &tables, &hasAlembic)
	if err != nil {
		return pgerr.Translate(err, "look for Open WebUI's tables")
	}
	if hasFile && hasAlembic {
		return nil
	}
	elsewhere, err := refindex.ReadColumn[string](ctx, t, installationsSQL)
	if err != nil {
		return pgerr.Translate(err, "look for Open WebUI's tables")
	}
	hint := "set DATABASE_SCHEMA if it lies elsewhere"
	if len(elsewhere) > 0 {
		hint = "Open WebUI's tables are in schema " + strings.Join(elsewhere, ", ") + ": set DATABASE_SCHEMA"
	}
	if tables == 0 {
		return refuse("schema %s is empty: start Open WebUI once, or set DATABASE_SCHEMA (%s)", id.Schema, hint)
	}
	return refuse("schema %s is not Open WebUI's: it has no table %s (%s)",
		id.Schema, map[bool]string{true: "alembic_version", false: "file"}[hasFile], hint)
}

// ListWebhooks are the addresses of the enabled webhooks that the application sends
// its events to. A revision that keeps its settings otherwise has none.
func (db *DB) ListWebhooks(ctx context.Context) (urls []string, err error) {
	var rows bool
	err = db.readRow(ctx, `SELECT count(*) = 2 FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attname IN ('key', 'value') AND NOT attisdropped`, []any{db.quotedTable("config")}, &rows)
	if err != nil || !rows {
		return nil, pgerr.Translate(err, "look for the application's settings")
	}
	var value string
	err = db.readRow(ctx, `SELECT coalesce((SELECT value::text FROM `+db.quotedTable("config")+` WHERE key = $1::text), '')`, []any{openwebui.WebhooksKey}, &value)
	if err != nil {
		return nil, pgerr.Translate(err, "read the application's webhooks")
	}
	return openwebui.Webhooks(value), nil
}

// HasChunks reports whether some schema of this database has the table in which Open WebUI
// keeps vectors with VECTOR_DB=pgvector: PGVECTOR_DB_URL decides which schema that is.
func (db *DB) HasChunks(ctx context.Context) (has bool, err error) {
	err = db.readRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = $1::text AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_')`, []any{openwebui.VectorTable}, &has)
	return has, pgerr.Translate(err, "look for table %s", openwebui.VectorTable)
}

// compatibleTypes are the types that our statements can work with in place of another.
var compatibleTypes = map[string][]string{
	"varchar": {"varchar", "text"},
	"text":    {"varchar", "text"},
	"json":    {"json", "jsonb", "varchar", "text"},
	"bigint":  {"int8", "int4", "int2", "numeric", "float8", "float4"},
}

// columnTypesSQL lists the columns of table file with their types: of a domain its base
// type, and the type as people write it.
const columnTypesSQL = `
SELECT a.attname::text, coalesce(b.typname, y.typname)::text, format_type(a.atttypid, a.atttypmod), a.attrelid::regclass::text
  FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = y.typbasetype
 WHERE a.attrelid = to_regclass(format('%I.file', $1::text)) AND a.attnum > 0 AND NOT a.attisdropped`

// recognizeColumns refuses a table file that our statements do not fit, as after a
// migration by hand, and says what would make it fit.
func recognizeColumns(ctx context.Context, t pgx.Tx, schema string, refuse refusal) error {
	rows, _ := t.Query(ctx, columnTypesSQL, schema)
	types, written := map[string]string{}, map[string]string{}
	var name, typ, long, table string
	if _, err := pgx.ForEachRow(rows, []any{&name, &typ, &long, &table}, func() error {
		types[name], written[name] = typ, long
		return nil
	}); err != nil {
		return pgerr.Translate(err, "look at the columns of table file")
	}
	var missing, wrong []error
	for _, want := range openwebui.FileColumns {
		switch has, there := types[want.Name]; {
		case !there:
			missing = append(missing, fmt.Errorf("file.%s", want.Name))
		case !slices.Contains(compatibleTypes[want.Type], has):
			wrong = append(wrong, fmt.Errorf("column file.%s has type %s, not %s: ALTER TABLE %s ALTER COLUMN %[1]s DROP DEFAULT, ALTER COLUMN %[1]s TYPE %[3]s USING %[5]s;",
				want.Name, written[want.Name], want.Type, table, conversionSQL(want.Name, has, want.Type)))
		}
	}
	if len(missing) > 0 {
		return refuse("table file is not one that pruned knows: missing %w", errors.Join(missing...))
	}
	if len(wrong) > 0 {
		return refuse("table file is not as Open WebUI makes it: %w", errors.Join(wrong...))
	}
	return nil
}

// conversionSQL is the expression that turns a column into what it should be.
func conversionSQL(name, has, wanted string) string {
	switch {
	case wanted == "bigint" && slices.Contains([]string{"timestamp", "timestamptz", "date"}, has):
		return "extract(epoch FROM " + name + ")::bigint"
	case has == "bytea":
		return "convert_from(" + name + ", 'UTF8')::" + wanted
	}
	return name + "::text::" + wanted
}
