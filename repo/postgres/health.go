package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Health is what an operator wants to know of the database side.
type Health struct {
	Version            string   // of the server
	Role               string   // that we are
	Revision           string   // of Open WebUI's schema (alembic)
	Missing            []string // GRANT statements that are needed
	MissingForeignKeys []string // link tables without one to table file
	Index              IndexHealth
	Tombstones         int64
	DueIn              time.Duration // of the first tombstone
}

// IndexHealth is the state of the reference index.
type IndexHealth struct {
	Made       bool // schema pruned exists and a pass has run
	Files      int64
	References int64
	PassedAgo  time.Duration
	Unread     []string // tables that were never read whole
}

const privilegesSQL = relationsCTE + `
SELECT format('GRANT SELECT ON %s TO %I;', c.oid::regclass, current_user)
  FROM relations JOIN pg_class c USING (oid)
 WHERE c.relkind IN ('r', 'f') AND NOT has_table_privilege(c.oid, 'SELECT')
UNION ALL
SELECT format('GRANT %s ON %s TO %I;', p.privilege, f.file, current_user)
  FROM (SELECT to_regclass(format('%I.file', $1::text)) AS file) f,
       (VALUES ('SELECT'), ('UPDATE'), ('DELETE')) p (privilege)
 WHERE NOT has_table_privilege(f.file, p.privilege)`

// Examine looks at everything that pruned needs of the database. It changes
// nothing.
func (db *DB) Examine(ctx context.Context) (h Health, err error) {
	err = db.pool.QueryRow(ctx, `SELECT current_setting('server_version'), current_user,
		coalesce((SELECT string_agg(version_num, ', ') FROM `+db.table("alembic_version")+`), '')`).
		Scan(&h.Version, &h.Role, &h.Revision)
	if err != nil {
		return h, translate(err, "read versions")
	}
	rows, _ := db.pool.Query(ctx, privilegesSQL, db.schema, exceptions)
	if h.Missing, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return h, translate(err, "read privileges")
	}
	if h.MissingForeignKeys, err = db.MissingForeignKeys(ctx); err != nil {
		return h, err
	}
	made, err := db.hasSchema(ctx)
	if err != nil || !made {
		return h, err
	}
	if err := db.examineIndex(ctx, &h.Index); err != nil {
		return h, err
	}
	h.Tombstones, h.DueIn, err = db.NextDue(ctx)
	return h, err
}

func (db *DB) examineIndex(ctx context.Context, h *IndexHealth) error {
	var ago *float64
	err := db.pool.QueryRow(ctx, `SELECT extract(epoch FROM clock_timestamp() - passed_at)::float8,
		(SELECT count(*) FROM pruned.known_file), (SELECT count(*) FROM pruned.reference),
		ARRAY(SELECT name FROM pruned.relation WHERE generation = 0 ORDER BY name) FROM pruned.state`).
		Scan(&ago, &h.Files, &h.References, &h.Unread)
	if ago != nil {
		h.Made, h.PassedAgo = true, seconds(*ago)
	}
	return translate(err, "read the state of the reference index")
}
