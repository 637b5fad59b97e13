package refindex

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"pruned/repo/postgres/pgerr"
)

// A look reads every table for the row versions that the index does not cover, which costs
// what all of them cost, and finds none most of the time. To write a row a transaction needs
// a number. So where a look has found no such row, and every number that was in use at its
// end or given out since is one of our own process's or still in use, there is none at the
// next look either: what we write has no new row version in a searched table. All of that
// must be sure:
//
//   - Transactions in progress at the first look are in its snapshot's list by their own
//     number, which they have before any savepoint's; prepared ones too.
//   - No trigger, rule or key writes into a searched table when we delete (plainSQL). One
//     that did and is gone was dropped by somebody else's transaction.
//   - A number is ours once its transaction has committed: it is never given out again.
//   - A server that crashed may give out again what had left no trace, and another one,
//     promoted or restored, what the first had given out. Recovery ends with a checkpoint,
//     and each server started at a time of its own (serverSQL).
type quiet struct {
	mu       sync.Mutex
	plan     *Plan
	snapshot string // of the last look that found nothing; empty where none did
	server   string
	own      []uint64
}

// serverSQL changes with every start, every recovery and every checkpoint of the server.
const serverSQL = `(SELECT concat_ws('/', pg_postmaster_start_time(), timeline_id, checkpoint_lsn) FROM pg_control_checkpoint())`

// maxSince bounds how many numbers are compared.
const maxSince = 10000

// quietCTE tells in one row whether every transaction since a snapshot is one of ours. The
// arguments are expressions of text, and a condition besides.
func quietCTE(snapshot, own, server, condition string) string {
	return lookParameters.Replace(strings.NewReplacer("@snapshot", snapshot, "@own", own, "@server", server, "@condition", condition).Replace(`
WITH quiet (yes) AS MATERIALIZED (
    SELECT (@condition) AND coalesce(` + serverSQL + ` = @server::text AND b.until - b.since <= ` + strconv.Itoa(maxSince) + ` AND NOT EXISTS (
               SELECT FROM (SELECT pg_snapshot_xip(b.snapshot)
                      UNION ALL SELECT n::text::xid8 FROM generate_series(b.since, least(b.until - 1, b.since + ` + strconv.Itoa(maxSince) + `)) n) x (id)
                WHERE pg_visible_in_snapshot(x.id, pg_current_snapshot())
                  AND x.id IS DISTINCT FROM pg_current_xact_id_if_assigned()
                  AND x.id <> ALL (@own::text[]::xid8[])), false)
      FROM (SELECT s.snapshot, pg_snapshot_xmax(s.snapshot)::text::bigint AS since,
                   pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS until
              FROM (SELECT nullif(@snapshot::text, '')::pg_snapshot AS snapshot) s) b
)`))
}

// quietLookCTE is quietCTE for a look, whose snapshot is of an earlier transaction: it does
// not tell of that transaction itself. Where a trigger may have made that write nothing is
// quiet.
func quietLookCTE() string { return quietCTE("$3", "$4", "$5", plainSQL) }

// unlessQuiet is the condition under which a table is read.
const unlessQuiet = ` AND NOT (SELECT yes FROM quiet)`

// deletedCTE lists table file, and the tables whose rows may go with its rows: those that
// foreign keys lead to, also from a partition or an heir of another.
const deletedCTE = `
deleted (oid) AS (
    SELECT to_regclass(format('%I.file', @schema::text))::oid
    UNION
    SELECT next.oid FROM deleted CROSS JOIN LATERAL (
        SELECT k.conrelid FROM pg_constraint k WHERE k.confrelid = deleted.oid AND k.contype = 'f'
        UNION ALL
        SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = deleted.oid) next (oid)
)`

// plainSQL is the condition that a deletion of rows of table file writes no row of any
// table but ours: no trigger, rule, or key that sets something to NULL or to a default.
const plainSQL = `
SELECT NOT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal)
   AND NOT EXISTS (SELECT FROM pg_rewrite WHERE rulename <> '_RETURN' AND oid >= 16384)
   AND NOT EXISTS (WITH RECURSIVE ` + deletedCTE + `
           SELECT FROM deleted JOIN pg_constraint k ON k.confrelid = deleted.oid AND k.contype = 'f' AND k.confdeltype IN ('n', 'd'))`

// deletesSQL tells what a deletion of rows of table file does besides: whether it is plain,
// and what may go with them.
const deletesSQL = `
WITH RECURSIVE ` + deletedCTE + `
SELECT concat_ws(' ', (` + plainSQL + `)::text, string_agg(oid::text, ' ' ORDER BY oid)) FROM deleted`

// since are the arguments of quietCTE for a search by a plan.
func (q *quiet) since(p *Plan) (snapshot string, own []string, server string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.plan != p {
		return "", []string{}, ""
	}
	return q.snapshot, q.list(), q.server
}

// ours are the numbers that are ours, for a recheck.
func (q *quiet) ours() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.list()
}

func (q *quiet) list() []string {
	own := make([]string, len(q.own))
	for i, id := range q.own {
		own[i] = strconv.FormatUint(id, 10)
	}
	return own
}

// found notes what a look found: whether any row of an indexed table changed.
func (q *quiet) found(p *Plan, h *answerHeader, changed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if changed {
		q.forget()
		return
	}
	q.plan, q.snapshot, q.server = p, h.Snapshot, h.Server
	first, _, _ := strings.Cut(h.Snapshot, ":")
	if xmin, err := strconv.ParseUint(first, 10, 64); err == nil {
		q.own = slices.DeleteFunc(q.own, func(id uint64) bool { return id < xmin })
	}
}

func (q *quiet) forget() { q.plan, q.snapshot, q.own = nil, "", nil }

func (q *quiet) isSet() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.plan != nil
}

func (q *quiet) add(id uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.own = append(q.own, id); len(q.own) > maxSince {
		q.forget()
	}
}

// ReadNumber reads the number of a transaction of ours, for NoteCommit; zero where it has
// none, or where it is of no use. There is no index while the database is being opened.
func (ix *Index) ReadNumber(ctx context.Context, t pgx.Tx) (number uint64, err error) {
	if ix == nil || !ix.quiet.isSet() {
		return 0, nil
	}
	err = t.QueryRow(ctx, `SELECT coalesce(pg_current_xact_id_if_assigned()::text::bigint, 0)`).Scan(&number)
	return number, pgerr.Translate(err, "read the number of the transaction")
}

// NoteCommit notes that a transaction of ours has committed.
func (ix *Index) NoteCommit(number uint64) {
	if number > 0 {
		ix.quiet.add(number)
	}
}
