package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// oldTransactionSQL returns the oldest transaction that has a number and has been open for
// $1 seconds, in any database: no mark goes beyond it. Every role sees which session locks
// a number, but not since when. Where there is none, it returns a session of this database
// that is idle in a transaction which only reads.
const oldTransactionSQL = `
SELECT pid, name, state, database, age, writes FROM (
SELECT coalesce(l.pid, 0) AS pid, coalesce(a.application_name, p.gid, '') AS name, coalesce(a.state, '') AS state,
       coalesce(a.datname::text, p.database::text, '') AS database,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS age, true AS writes, age(l.transactionid) AS n
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND l.transactionid = p.transaction
 WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
UNION ALL
SELECT pid, application_name, state, datname::text, extract(epoch FROM clock_timestamp() - xact_start)::float8, false, age(backend_xmin)
  FROM pg_stat_activity
 WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND backend_xid IS NULL AND backend_xmin IS NOT NULL
) t
 WHERE age IS NULL OR age >= $1::float8
 ORDER BY writes DESC, n DESC
 LIMIT 1`

// maxLongWritings make an old transaction, one that somebody has to end.
const maxLongWritings = 12

// oldTransaction is a transaction that is open.
type oldTransaction struct {
	pid                   int
	name, state, database string
	age                   *float64 // seconds; nil where we may not see it
	writes                bool
}

func (o *oldTransaction) String() string {
	if o.pid == 0 {
		return fmt.Sprintf("the prepared transaction %q of database %s", o.name, o.database)
	}
	return fmt.Sprintf("session %d (application %q, %s, database %s)", o.pid, o.name, o.state, o.database)
}

// howToEnd tells an operator how to end it.
func (o *oldTransaction) howToEnd() string {
	if o.pid == 0 {
		return "COMMIT PREPARED or ROLLBACK PREPARED it there"
	}
	return fmt.Sprintf("end it (SELECT pg_terminate_backend(%d)), or set idle_in_transaction_session_timeout for its role", o.pid)
}

// checkTransactions names the transaction that holds back the mark up to which the index
// is true: every batch reads all rows written since, and no file that they may mention is
// deleted. After a minute that is a failure. It never quotes a statement.
func (db *DB) checkTransactions(ctx context.Context) ([]repo.Finding, error) {
	f := repo.Finding{Check: "transactions", OK: true}
	var o oldTransaction
	err := db.readRow(ctx, oldTransactionSQL, []any{db.index.LongWriting.Seconds()}, &o.pid, &o.name, &o.state, &o.database, &o.age, &o.writes)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		f.Detail = fmt.Sprintf("none is open for longer than %s", db.index.LongWriting)
	case err != nil:
		return nil, pgerr.Translate(err, "look for old transactions")
	case o.age == nil:
		f.Detail = fmt.Sprintf("session %d has one open, since when this role may not see", o.pid)
		f.Remedy = "GRANT pg_read_all_stats TO CURRENT_USER (by a superuser, for pruned's role): a writer whose age is not known is waited for"
	case !o.writes:
		f.Warn, f.Remedy = true, o.howToEnd()
		f.Detail = fmt.Sprintf("%s has one open since %s ago that has only read: VACUUM removes nothing that was deleted since",
			&o, toDuration(*o.age).Round(time.Second))
	default:
		f.OK = *o.age < maxLongWritings*db.index.LongWriting.Seconds()
		f.Warn, f.Remedy = f.OK, o.howToEnd()
		f.Detail = fmt.Sprintf("%s has one open since %s ago: what was written since is read by every batch, and nothing is deleted that it may mention",
			&o, toDuration(*o.age).Round(time.Second))
	}
	return []repo.Finding{f}, nil
}
