package postgres

import (
	"context"

	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// HasChunks says whether some schema of this database has the table in which Open WebUI
// keeps vectors with VECTOR_DB=pgvector: which one that is depends on PGVECTOR_DB_URL.
func (db *DB) HasChunks(ctx context.Context) (has bool, err error) {
	err = db.readRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = $1::text AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_')`, []any{openwebui.VectorTable}, &has)
	return has, pgerr.Translate(err, "look for table %s", openwebui.VectorTable)
}
