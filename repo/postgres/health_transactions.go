package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

// oldestSQL is the oldest transaction that has a number, of whatever database: no mark
// goes beyond it. Everybody sees who locks a number; since when, not everybody.
const oldestSQL = `
SELECT coalesce(l.pid, 0), coalesce(a.application_name, p.gid, ''), coalesce(a.state, ''), coalesce(a.datname::text, p.database::text, ''),
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND l.transactionid = p.transaction
 WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
 ORDER BY age(l.transactionid) DESC
 LIMIT 1`

// examineTransactions tells, after a minute, who keeps the mark back up to which the index is true:
// what was written since is read by every look. It never quotes a statement.
func (db *DB) examineTransactions(ctx context.Context) ([]repo.Finding, error) {
	f := repo.Finding{Check: "transactions", OK: true, Detail: "none is older than a minute"}
	var pid int
	var name, state, database string
	var age *float64
	err := db.readRow(ctx, oldestSQL, nil, &pid, &name, &state, &database, &age)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && age != nil && *age < 12*db.longWriting.Seconds() {
		return []repo.Finding{f}, nil
	}
	if err != nil {
		return nil, translate(err, "look for old transactions")
	}
	who, end := fmt.Sprintf("session %d (application %q, %s, database %s)", pid, name, state, database),
		fmt.Sprintf("end it (SELECT pg_terminate_backend(%d)), or set idle_in_transaction_session_timeout for its role", pid)
	if pid == 0 {
		who, end = fmt.Sprintf("the prepared transaction %q of database %s", name, database), "COMMIT PREPARED or ROLLBACK PREPARED it there"
	}
	if age == nil {
		f.Detail = fmt.Sprintf("session %d has one open, since when this role may not see", pid)
		f.Do = "GRANT pg_read_all_stats TO CURRENT_USER (by a superuser, for pruned's role): a writer whose age is not known is waited for"
		return []repo.Finding{f}, nil
	}
	f.OK, f.Do = false, end
	f.Detail = fmt.Sprintf("%s has one open since %s ago: what was written since is read by every batch, and nothing is deleted that it may mention",
		who, seconds(*age).Round(time.Second))
	return []repo.Finding{f}, nil
}
