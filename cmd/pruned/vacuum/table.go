package vacuum

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Table is one of PostgreSQL's, with what its statistics say.
type Table struct {
	Name       string     // with its schema, quoted where that is needed
	Bytes      int64      // with its indexes
	Dead, Live int64      // rows, as far as statistics know
	Vacuumed   *time.Time // nil: never
	Owner      string     // quoted
	Role       string     // quoted: ours
	MayVacuum  bool       // this role
	// HNSWVersion is the version of pgvector where the table has an hnsw index.
	HNSWVersion string
	HasMaintain bool // the server knows the privilege MAINTAIN
}

// tablesSQL: before PostgreSQL 17 only owners vacuum, of the table or of the database.
const tablesSQL = `
SELECT format('%I.%I', n.nspname, c.relname), pg_total_relation_size(c.oid), coalesce(s.n_dead_tup, 0), coalesce(s.n_live_tup, 0),
       greatest(s.last_vacuum, s.last_autovacuum), quote_ident(pg_get_userbyid(c.relowner)), quote_ident(current_user),
       pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE')
           OR CASE WHEN v.maintain THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END,
       coalesce((SELECT e.extversion FROM pg_extension e
                  WHERE e.extname = 'vector' AND EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
                                                          WHERE i.indrelid = c.oid AND a.amname = 'hnsw')), ''),
       v.maintain
  FROM unnest($1::text[]) WITH ORDINALITY u (name, i)
  JOIN pg_class c ON c.oid = to_regclass(u.name) AND c.relkind IN ('r', 'p')
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_database d ON d.datname = current_database()
 CROSS JOIN (SELECT current_setting('server_version_num')::int >= 170000) v (maintain)
  LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
 ORDER BY u.i`

// beginReading resolves nothing by a path that others may have put functions on, and
// depends on no limit of the role's.
const beginReading = `BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL statement_timeout = 0`

// ReadTables reads those of the named tables that are there. Names are quoted, with their
// schemas.
func ReadTables(ctx context.Context, conn *pgx.Conn, names []string) (tables []Table, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{BeginQuery: beginReading}, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, tablesSQL, names)
		tables, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Table, err error) {
			return t, row.Scan(&t.Name, &t.Bytes, &t.Dead, &t.Live, &t.Vacuumed, &t.Owner, &t.Role, &t.MayVacuum, &t.HNSWVersion, &t.HasMaintain)
		})
		return err
	})
	return tables, err
}

// Remedy is what lets a table be vacuumed that this role may not vacuum.
func (t Table) Remedy() string {
	remedy := fmt.Sprintf("as %s: %s;", t.Owner, t.statement("ANALYZE"))
	if t.HasMaintain {
		remedy += fmt.Sprintf(" or, for ever: GRANT MAINTAIN ON %s TO %s;", t.Name, t.Role)
	}
	return remedy
}

// IsVacuumedSince says whether a vacuum's statistics came since: before PostgreSQL 15 they
// take a while.
func (t Table) IsVacuumedSince(before Table) bool {
	return t.Vacuumed != nil && (before.Vacuumed == nil || t.Vacuumed.After(*before.Vacuumed))
}

// soundHNSW is the version of pgvector from which on VACUUM of an hnsw index does not fail
// for what an insert beside it did.
var soundHNSW = []int{0, 8, 4}

// HasUnsoundHNSW says whether pgvector's own VACUUM of this table may fail.
func (t Table) HasUnsoundHNSW() bool {
	if t.HNSWVersion == "" {
		return false
	}
	version := make([]int, len(soundHNSW))
	_, _ = fmt.Sscanf(t.HNSWVersion, "%d.%d.%d", &version[0], &version[1], &version[2])
	return slices.Compare(version, soundHNSW) < 0
}

// statement is a VACUUM with these options. By itself it leaves indexes as they are where
// dead rows lie on few pages, as those of one document do, and a search of an hnsw index
// would go on meeting them, and nothing else.
func (t Table) statement(options string) string {
	if t.HNSWVersion != "" {
		options += ", INDEX_CLEANUP ON"
	}
	return "VACUUM (" + options + ") " + t.Name
}

// Vacuum vacuums and analyzes one table. It is a session's own statement, in no
// transaction, so that limits on statements are the role's: behind a pooler a SET would
// stay with somebody else's session.
func (t Table) Vacuum(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, t.statement("ANALYZE"))
	return err
}

// VacuumQuietly vacuums one table so that nobody waits for it, nor it for anybody. Where
// somebody else vacuums it, or changes what it is, PostgreSQL warns with SQLSTATE 55P03,
// and nothing is done.
func (t Table) VacuumQuietly(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, t.statement("SKIP_LOCKED, TRUNCATE false"))
	return err
}

// Progress is how far the vacuum of a table is, in pages.
type Progress func(stage string, done, total int64)

// progressSQL names its table, as the view knows it by its oid alone.
const progressSQL = `SELECT p.phase, c.relname::pg_catalog.text, p.heap_blks_scanned, p.heap_blks_total
  FROM pg_catalog.pg_stat_progress_vacuum p JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.relid
 WHERE p.pid OPERATOR(pg_catalog.=) $1`

// progressEvery is how often the server is asked.
const progressEvery = 300 * time.Millisecond

// WatchProgress tells how far session pid is with its vacuum, asked by conn, until the
// context ends.
func WatchProgress(ctx context.Context, conn *pgx.Conn, pid uint32, tell Progress) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(progressEvery):
		}
		var phase, table string
		var done, total int64
		err := conn.QueryRow(ctx, progressSQL, int32(pid)).Scan(&phase, &table, &done, &total)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, pgx.ErrNoRows): // it waits, or analyzes
		case err != nil:
			return err
		default:
			tell(table+": "+phase, done, total)
		}
	}
}
