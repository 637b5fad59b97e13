package refindex

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// Between the recheck and the commit somebody may mention a file in JSON, which takes no
// lock that we hold. A strict deletion keeps writers out for that instant: it locks every
// table that may mention a file, and checks once more whether anything was committed since
// the search.

// strictTries is how often a lock is tried, each time for as long as a transaction waits
// (ShortWaitSQL): without any wait a table that is written all the time is never locked,
// and nothing is ever deleted. strictPause bounds the first pause between tries; each is
// half as long again as the one before.
const (
	maxStrictTries = 6
	strictPause    = 8 * time.Millisecond
	maxStrictPause = 100 * time.Millisecond
)

// serializeStrictSQL lets one strict deletion run after the other: the tables that a
// trigger on table file writes to, each of two would lock against the other for ever. The
// mode excludes itself, and no reader or writer of that table. It ends with the
// transaction.
const serializeStrictSQL = `LOCK TABLE pruned.relation IN SHARE UPDATE EXCLUSIVE MODE`

// SerializeStrict waits for other strict deletions, before anything is locked.
func (ix *Index) SerializeStrict(ctx context.Context, t pgx.Tx) error {
	if !ix.Strict {
		return nil
	}
	return pgerr.Translate(ix.lockFirst(ctx, t, serializeStrictSQL+"; "+ShortWaitSQL), "wait for another strict deletion")
}

// lockWriters locks every table that may mention a file against writers. It waits for the
// lock only for an instant: a writer may be waiting for us.
func (p *Plan) lockWriters(ctx context.Context, t pgx.Tx) error {
	return untilLocked(ctx, maxStrictTries, func() error { return p.tryLock(ctx, t) })
}

// untilLocked calls try, which locks tables below a savepoint, until it is not refused.
func untilLocked(ctx context.Context, tries int, try func() error) error {
	pause := strictPause
	for n := 1; ; n++ {
		err := try()
		if err == nil || repo.SQLState(err) != "55P03" || n == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return pgerr.Translate(ctx.Err(), "lock tables")
		case <-time.After(rand.N(pause) + time.Millisecond):
		}
		pause = min(pause+pause/2, maxStrictPause)
	}
}

// tryLock tries once, below a savepoint: a refusal ends a transaction. Until it is
// refused, or the transaction ends, writers of those tables wait.
func (p *Plan) tryLock(ctx context.Context, t pgx.Tx) error {
	names := p.lockableTables()
	if len(names) == 0 {
		return nil
	}
	err := pgx.BeginFunc(ctx, t, func(savepoint pgx.Tx) error {
		_, err := savepoint.Exec(ctx, `LOCK TABLE ONLY `+strings.Join(names, ", ONLY ")+` IN SHARE MODE`)
		return err
	})
	return pgerr.Translate(err, "lock the tables that may mention files")
}

// lockableTables are the tables to lock, in the order of their names. A link table with
// its foreign key needs none: its writers wait for the rows that we hold, and we
// would wait for them. Foreign tables cannot be locked. Grants count where they make rows
// live.
func (p *Plan) lockableTables() (names []string) {
	for _, r := range p.relations {
		if r.kind == "r" && (!r.hasFileFK || !slices.Contains(linkTables, r.name)) {
			names = append(names, r.quotedName())
		}
	}
	for _, r := range p.relations {
		if r.needsOpener {
			names = append(names, r.grantsTable())
			break
		}
	}
	slices.Sort(names)
	return names
}

// ShortWaitSQL makes a transaction that holds locks give way long before PostgreSQL looks
// for a deadlock, which it ends by refusing the session that looked first: that may be a
// migration of the application, which then does not start. A tenth, as the server says:
// the setting may be changed while it runs.
const ShortWaitSQL = `SELECT set_config('lock_timeout',
       greatest(1, (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 100)::int)::text, true)`

// lockFirst takes a transaction's first lock. A transaction that holds nothing, or only
// locks on pruned's own tables, may wait for longer: nobody else waits for it.
func (ix *Index) lockFirst(ctx context.Context, t pgx.Tx, sql string) error {
	_, err := t.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d; %s", max(ix.LockTimeout.Milliseconds(), 1), sql))
	return err
}
