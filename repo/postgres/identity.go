package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pruned/repo"
)

// Installation says which database of which cluster this is.
type Installation struct {
	System   string // system identifier of the cluster
	Database uint32 // oid
	Schema   string
	Name     string // of the database; for people, no part of the identity

	suffix string // tells it from its copies
}

func (i Installation) String() string { return i.base() + i.suffix }

// base is what a database and its physical copies have in common.
func (i Installation) base() string { return fmt.Sprintf("%s/%d/%s", i.System, i.Database, i.Schema) }

const recognizeSQL = `
SELECT pg_is_in_recovery(),
       current_setting('server_version_num')::int,
       coalesce(nullif($1::text, ''), current_schema(), ''),
       current_database(),
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       current_setting('track_counts')`

// recognize finds out whose database this is, and refuses what cannot be
// worked with.
func (db *DB) recognize(ctx context.Context) error {
	var standby bool
	var version int
	var id Installation
	var counts string
	err := db.pool.QueryRow(ctx, recognizeSQL, db.options.Schema).
		Scan(&standby, &version, &id.Schema, &id.Name, &id.Database, &counts)
	if err != nil {
		return translate(err, "connect to PostgreSQL")
	}
	refuse := func(format string, args ...any) error {
		return &repo.Error{Kind: repo.Environment, Doing: "open database " + id.Name, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case standby:
		return refuse("this server is a standby (pg_is_in_recovery): DATABASE_URL must name the primary")
	case version < 140000:
		return refuse("PostgreSQL %d is too old: 14 or later is needed", version/10000)
	case id.Schema == "":
		return refuse("no schema of search_path exists: set DATABASE_SCHEMA")
	case id.Schema == "pruned" || strings.HasPrefix(id.Schema, "pg_"):
		return refuse("DATABASE_SCHEMA %q cannot hold the application's tables", id.Schema)
	}
	if err := db.pool.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&id.System); err != nil {
		return translate(err, "read the system identifier (GRANT EXECUTE ON FUNCTION pg_control_system() helps if it is a matter of privilege)")
	}
	if err := db.recognizeTables(ctx, id, refuse); err != nil {
		return err
	}
	db.schema, db.identity = id.Schema, id
	return nil
}

const tablesSQL = `
SELECT to_regclass(format('%I.file', $1::text)) IS NOT NULL,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')),
       (SELECT coalesce(array_agg(a.attname::text), '{}') FROM pg_attribute a
         WHERE a.attrelid = to_regclass(format('%I.file', $1::text)) AND a.attnum > 0 AND NOT a.attisdropped),
       to_regclass(format('%I.alembic_version', $1::text)) IS NOT NULL`

// fileColumns are those of table file that this engine reads.
var fileColumns = []string{"id", "path", "data", "created_at", "updated_at"}

func (db *DB) recognizeTables(ctx context.Context, id Installation, refuse func(string, ...any) error) error {
	var hasFile, hasAlembic bool
	var tables int
	var columns []string
	err := db.pool.QueryRow(ctx, tablesSQL, id.Schema).Scan(&hasFile, &tables, &columns, &hasAlembic)
	if err != nil {
		return translate(err, "look for Open WebUI's tables")
	}
	if tables == 0 {
		return refuse("schema %s is empty: start Open WebUI once, or set DATABASE_SCHEMA", id.Schema)
	}
	if !hasFile || !hasAlembic {
		return refuse("schema %s is not Open WebUI's: it has no table %s (set DATABASE_SCHEMA if it lies elsewhere)",
			id.Schema, map[bool]string{true: "alembic_version", false: "file"}[hasFile])
	}
	var missing []error
	for _, want := range fileColumns {
		if !slices.Contains(columns, want) {
			missing = append(missing, fmt.Errorf("file.%s", want))
		}
	}
	if len(missing) > 0 {
		return refuse("table file is not one that pruned knows: missing %w", errors.Join(missing...))
	}
	return nil
}
