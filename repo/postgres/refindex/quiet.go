package refindex

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// A look reads every table for the row versions that the index does not cover, which costs
// what all of them cost, and finds none most of the time. To write a row a transaction needs
// a number. So where a look has found no such row, or a pass has left none, and every number
// that was in use at that snapshot or given out since is one of our own process's or still in
// use, there is none at the next look either: what we write has no new row version in a
// searched table. All of that must be sure:
//
//   - Transactions in progress at the first look are in its snapshot's list by their own
//     number, which they have before any savepoint's; prepared ones too.
//   - No trigger, rule or key writes into a searched table when we delete files (plainSQL). One
//     that did and is gone was dropped by somebody else's transaction. Where we delete anything
//     else of the application's, or restore a file, the number counts as somebody else's.
//   - A number is ours from the moment on at which it is read, whether its transaction commits
//     or not: no server gives it out again, but for one that crashed, as to what had left no
//     trace, and another one, promoted or restored, as to what the first had given out.
//     Recovery ends with a checkpoint, and each server started at a time of its own: a number
//     is ours for the server alone on which it was read (serverSQL).
type quiet struct {
	mu sync.Mutex
	baseline
	index string // the digest of pruned.relation at that look: which tables it asked
	begun bool   // before the first look or pass nothing is worth noting

	numbers       []uint64 // of our transactions, on one server
	numbersServer string
}

// baseline is the last look that found nothing, as the next one compares itself with it.
type baseline struct {
	snapshot string // empty where no look found nothing
	server   string
	own      []string // numbers that are ours, of those that may have been in use at the snapshot or given out since
	// catalog and deletes are what a plan has under these names, as they were at the snapshot;
	// empty where nobody looked. Whoever changes the catalog needs a number as well; a deletion
	// of ours does not change it where it is plain, and of others no recheck leaves these.
	catalog, deletes string
}

// noBaseline is for a search that reads everything.
var noBaseline = baseline{own: []string{}}

// isOf says that the catalog at the snapshot was that of a plan.
func (b *baseline) isOf(p *Plan) bool { return b.catalog == p.catalog && b.deletes == p.deletes }

// serverSQL changes with every start, every recovery and every checkpoint of the server, and
// with the role, which may be another in a session that began later.
const serverSQL = `(SELECT concat_ws('/', pg_postmaster_start_time(), timeline_id, checkpoint_lsn, current_user) FROM pg_control_checkpoint())`

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
// quiet. What is known of the catalog at the snapshot, $6, holds where nobody else wrote.
func quietLookCTE() string { return quietCTE("$3", "$4", "$5", "$6::boolean OR ("+plainSQL+")") }

// unlessQuiet is the condition under which a table is read.
const (
	quietSQL    = `(SELECT yes FROM quiet)`
	unlessQuiet = ` AND NOT ` + quietSQL
)

// deletedCTE lists the tables of which we delete rows together with files, which are table file,
// links and chunks, and those whose rows may go with theirs: those that foreign keys lead to,
// also from a partition or an heir of another.
var deletedCTE = `
deleted (oid) AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND (c.relname = '` + openwebui.VectorTable + `' OR n.nspname = @schema::text AND c.relname = ANY ('{file,` + strings.Join(linkTables, ",") + `}'))
    UNION
    SELECT next.oid FROM deleted CROSS JOIN LATERAL (
        SELECT k.conrelid FROM pg_constraint k WHERE k.confrelid = deleted.oid AND k.contype = 'f'
        UNION ALL
        SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = deleted.oid) next (oid)
)`

// plainSQL is the condition that a deletion of such rows writes no row of any table but ours: no
// trigger, rule, or key that sets something to NULL or to a default.
var plainSQL = `
SELECT NOT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal AND ` + notOurTriggerSQL + `)
   AND NOT EXISTS (SELECT FROM pg_rewrite WHERE rulename <> '_RETURN' AND oid >= 16384)
   AND NOT EXISTS (WITH RECURSIVE ` + deletedCTE + `
           SELECT FROM deleted JOIN pg_constraint k ON k.confrelid = deleted.oid AND k.contype = 'f' AND k.confdeltype IN ('n', 'd'))`

// deletesSQL tells what a deletion of files does besides: whether it is plain, and what may go
// with them.
var deletesSQL = `
WITH RECURSIVE ` + deletedCTE + `
SELECT concat_ws(' ', (` + plainSQL + `)::text, string_agg(oid::text, ' ' ORDER BY oid)) FROM deleted`

// since is what a search of the tables of an index compares itself with.
func (q *quiet) since(index string) baseline {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begun = true
	if q.index != index {
		return noBaseline
	}
	b := q.baseline
	b.own = q.list(b.snapshot, b.server)
	return b
}

// ours are the numbers that are ours on a server, and may have been in use at a snapshot or
// given out since.
func (q *quiet) ours(snapshot, server string) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.list(snapshot, server)
}

func (q *quiet) list(snapshot, server string) []string {
	own := []string{}
	if begin := toNumber(beginOf(snapshot)); begin > 0 && q.numbersServer == server {
		for _, id := range q.numbers {
			if id >= begin {
				own = append(own, strconv.FormatUint(id, 10))
			}
		}
	}
	return own
}

// toNumber is zero where a text is none.
func toNumber(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}

// found notes what a look found, or a pass left: whether any row of an indexed table changed.
// Of those that ran beside each other it keeps the one that began last.
func (q *quiet) found(h *answerHeader, changed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case changed:
		q.snapshot = ""
	case q.index != h.Index || q.server != h.Server || isNewer(h.Snapshot, q.snapshot):
		q.index, q.baseline = h.Index, baseline{snapshot: h.Snapshot, server: h.Server, catalog: h.Catalog, deletes: h.Deletes}
	}
}

// isNewer compares two snapshots by their ends.
func isNewer(a, b string) bool { return toNumber(endOf(a)) > toNumber(endOf(b)) }

func (q *quiet) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begun = true
}

func (q *quiet) hasBegun() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.begun
}

// add notes a number that is ours; zero is none.
func (q *quiet) add(id uint64, server string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if id == 0 || slices.Contains(q.numbers, id) && q.numbersServer == server {
		return
	}
	if q.numbersServer != server {
		q.numbers, q.numbersServer = nil, server
	}
	if q.numbers = append(q.numbers, id); len(q.numbers) > maxSince {
		q.numbers = slices.Clone(q.numbers[len(q.numbers)/2:])
	}
}

// NoteNumber notes the number of a transaction of ours that is about to commit, where it has
// one and looks ask for such. There is no index while the database is being opened.
func (ix *Index) NoteNumber(ctx context.Context, t pgx.Tx) error {
	if ix == nil || !ix.quiet.hasBegun() {
		return nil
	}
	var number uint64
	var server string
	err := t.QueryRow(ctx, `SELECT n, CASE WHEN n > 0 THEN `+serverSQL+` ELSE '' END FROM coalesce(pg_current_xact_id_if_assigned()::text::bigint, 0) n`).Scan(&number, &server)
	if err == nil {
		ix.quiet.add(number, server)
	}
	return pgerr.Translate(err, "read the number of the transaction")
}
