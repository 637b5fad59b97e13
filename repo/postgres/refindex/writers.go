package refindex

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// A mention that somebody has written and not yet committed is seen by no search, and one
// that was committed between search and commit the recheck finds. So the only gap is a
// transaction that wrote before the search and commits after ours. It is short where
// transactions are; while one that is not holds a lock to write, no file that it may
// mention is deleted.

// writersSQL finds open transactions that may have written to some tables, or to table
// file, for longer than @seconds, or for a time that we may not see: of either the
// longest. The modes are those under which rows are written. Transactions of pruned's own,
// in any process, mention nothing: they lock our tables as well. A prepared one has no
// session. A transaction keeps what it saw first of others' sessions: that is forgotten before
// the locks are read, and asked for after them.
const writersSQL = `
WITH locks AS MATERIALIZED (
    SELECT pid, virtualtransaction AS id, relation, transactionid, mode, granted
      FROM pg_locks CROSS JOIN (SELECT pg_stat_clear_snapshot() OFFSET 0) forgotten
     WHERE locktype = 'transactionid'
        OR locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT DISTINCT ON (rows)
       l.relation = to_regclass(@file::text) AS rows, coalesce(l.pid, 0), coalesce(a.application_name, p.gid, ''), l.relation,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS age
  FROM locks l
  LEFT JOIN LATERAL pg_stat_get_activity(l.pid) a ON a.pid = l.pid
  LEFT JOIN locks x ON l.pid IS NULL AND x.pid IS NULL AND x.id = l.id AND x.transactionid IS NOT NULL AND x.granted
  LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
 WHERE (l.relation = ANY (@tables::oid[]) OR l.relation = to_regclass(@file::text)) AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
   AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
   AND NOT EXISTS (SELECT FROM locks o WHERE o.id = l.id AND o.relation = 'pruned.candidate'::regclass)
   AND coalesce(clock_timestamp() - coalesce(a.xact_start, p.prepared) > make_interval(secs => @seconds::float8), true)
 ORDER BY rows, age DESC NULLS LAST`

// openWriter is a transaction that is open.
type openWriter struct {
	pid   int
	name  string // of its application, or of the prepared transaction
	table string
	age   *float64 // in seconds; nil where we may not see it
}

func (w *openWriter) String() string {
	who := fmt.Sprintf("session %d (%q)", w.pid, w.name)
	if w.pid == 0 {
		who = fmt.Sprintf("the prepared transaction %q", w.name)
	}
	if w.age == nil {
		return fmt.Sprintf("%s writes to %s, for how long this role may not see (GRANT pg_read_all_stats)", who, w.table)
	}
	return fmt.Sprintf("%s has written to %s and not committed for %s", who, w.table, time.Duration(*w.age*float64(time.Second)).Round(time.Second))
}

// findWriters fills in the transactions that may yet commit a mention, or a row of table
// file.
func (ix *Index) findWriters(ctx context.Context, t pgx.Tx, p *Plan, look *repo.References) error {
	rows, _ := t.Query(ctx, writersSQL, ix.ExecMode(), pgx.NamedArgs{"tables": p.searchedOIDs(), "file": ix.quotedTable("file"), "seconds": ix.LongWriting.Seconds()})
	var w openWriter
	var toFile bool
	var oid uint32
	_, err := pgx.ForEachRow(rows, []any{&toFile, &w.pid, &w.name, &oid, &w.age}, func() error {
		if toFile {
			w.table = ix.Schema + ".file"
			look.PendingRows = w.String()
			return nil
		}
		for _, r := range p.relations {
			if r.oid == oid {
				w.table = r.String()
			}
		}
		if oid == p.grantsOID() {
			w.table = ix.Schema + ".access_grant"
		}
		look.Pending = w.String()
		return nil
	})
	return pgerr.Translate(err, "look for transactions that are open")
}

// searchedOIDs are the tables that may mention files, or make a row live again that does.
func (p *Plan) searchedOIDs() (oids []uint32) {
	for _, r := range p.relations {
		if len(r.columns) > 0 {
			oids = append(oids, r.oid)
		}
	}
	if p.revives() {
		oids = append(oids, p.grantsOID())
	}
	return oids
}
