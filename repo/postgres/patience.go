package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// waitBriefly has a transaction that holds locks give way long before PostgreSQL looks
// for a deadlock, which it ends by refusing the one who looked first: that may be a
// migration of the application, which then does not start. A tenth, as the server
// says: the setting may be changed while it runs.
const waitBriefly = `SELECT set_config('lock_timeout',
       greatest(1, (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 100)::int)::text, true)`

// lockFirst takes a transaction's first lock. Who holds nothing may wait for longer, and
// who holds only what is pruned's own: nobody else waits for that.
func (db *DB) lockFirst(ctx context.Context, t pgx.Tx, sql string) error {
	_, err := t.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d; %s", max(db.options.LockTimeout.Milliseconds(), 1), sql))
	return err
}
