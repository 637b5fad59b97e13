// Package repotest is the one suite that every engine of package repo passes.
//
// Its central idea is to live beside the application: each case has an empty
// database of Open WebUI, writes rows as the application does, and says what the
// contract then promises. It knows an engine by its contract only, and of SQL
// only what every dialect has.
package repotest

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// Engine is one case's own database, empty, with pruned's own tables in it.
type Engine struct {
	DB repo.Engine
	// Exec runs one statement of the application, with parameters $1, $2 and so
	// on, and returns the number of rows it touched.
	Exec func(t testing.TB, sql string, args ...any) int64
	// Unchecked is Exec with no foreign key in its way.
	Unchecked func(t testing.TB, sql string, args ...any) int64
	// Count runs a query that answers with one number.
	Count func(t testing.TB, sql string, args ...any) int64
	// Table is how a transaction of the engine's names a table of the application.
	Table func(name string) string
	// Columns are those of a table at another release of Open WebUI; nil at the newest. A case
	// that is about what a release lacks is left out there.
	Columns func(t testing.TB, table string) []testenv.ColumnInfo
	// Binary is the engine's type of a column that holds bytes.
	Binary string
	// Own names a table of pruned's, and Moment is a time as one of its columns has it.
	Own    func(name string) string
	Moment func(at time.Time) any
	// Departed opens the same database to ignore what users who are gone left.
	Departed func(t testing.TB) repo.Engine
	// Hold locks the row of a file, as an application does that has not yet
	// committed, until release is called. Nil for an engine with one writer, for
	// which nobody writes while a transaction is open.
	Hold func(t testing.TB, id string) (release func())
}

// patience is far more than anything takes; only a wait that would never end
// reaches it.
const patience = time.Minute

// Run runs the suite; open makes the database of one case.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	t.Helper()
	cases := map[string]func(*testing.T, Engine){
		"every mention keeps its file":                everyMentionKeeps,
		"a mention that is gone keeps nothing":        goneMentionKeepsNothing,
		"what is no use of a file keeps nothing":      noUseKeepsNothing,
		"a row without its parent keeps nothing":      deadRowKeepsNothing,
		"a row that may do without a parent keeps":    freeRowKeeps,
		"ids that are no UUID are searched literally": literalIDs,
		"ids that cannot be searched are unknown":     unsearchableIDs,
		"encodings: a mention in any keeps":           encodingsKeep,
		"ids that may be values are unknown":          valueIDs,
		"a refresh reads many rows":                   refreshReadsMany,
		"a new file is unknown until a pass":          unknownUntilPass,
		"the age of the index is told":                indexAgeIsTold,
		"a mention may come before its file's row":    earlyMention,
		"a mentioned file may go and come back":       returningFile,
		"a file that nothing mentioned is known soon": unmentionedIsKnown,
		"lock knows what is there":                    lockKnowsRows,
		"lock doubts where there are no rows at all":  lockDoubts,
		"lock measures ages":                          lockMeasures,
		"lock knows what is in flight":                lockKnowsInFlight,
		"clocks start once and stop":                  clocksStartOnce,
		"a mention stops the clock":                   mentionStopsClock,
		"delete takes the links along":                deleteTakesLinks,
		"delete takes all or nothing":                 deleteTakesAll,
		"a transaction is joined":                     joinsTransaction,
		"a transaction is opened":                     opensTransaction,
		"a rollback ignores cancellation":             rollbackIgnoresCancellation,
		"a panic rolls back":                          panicRollsBack,
		"the ledger tells what was deleted":           ledgerTells,
		"tombstones are due in their time":            tombstonesAreDue,
		"a postponed tombstone waits":                 postponedWaits,
		"what waits in tombstones is told":            entombedAreTold,
		"tombstones of the living are told":           livingAreTold,
		"usage: rows, links and owners are told":      usageIsTold,
	}
	for _, more := range []map[string]func(*testing.T, Engine){
		departedCases, sweepCases, timesCases, ownerCases, leftoverSweepCases, leftoverCases, danglingCases, reportCases, labelCases, trashCases, keepCases, confirmCases, browseCases,
	} {
		maps.Copy(cases, more)
	}
	if open(t).Hold != nil {
		cases["lock never waits"] = lockNeverWaits
		cases["look again finds what appeared"] = lookAgainFinds
		cases["look again finds what lives again"] = lookAgainFindsRevived
		cases["look again finds what mentions a name"] = lookAgainFindsName
		cases["look again ignores what is our own"] = lookAgainIgnoresOwn
		cases["tombstones are held by one"] = tombstonesAreHeld
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
}

// in runs fn in a transaction, which commits.
func (e Engine) in(t testing.TB, fn func(ctx context.Context, tx repo.Tx)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, e.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		fn(ctx, tx)
		return nil
	}))
}

// look looks for ids in a transaction of its own.
func (e Engine) look(t testing.TB, ids ...string) (found repo.References) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		found, err = e.DB.FindReferences(ctx, tx, ids)
		require.NoError(t, err)
		indexed, err := e.DB.FindIndexed(ctx, tx, ids)
		require.NoError(t, err)
		appeared, err := e.DB.RecheckReferences(ctx, tx, indexed, ids, nil)
		require.NoError(t, err)
		maps.Copy(appeared.References, indexed.Referenced)
		require.ElementsMatch(t, slices.Collect(maps.Keys(found.Referenced)), slices.Collect(maps.Keys(appeared.References)), "both ways to look find the same")
		require.Equal(t, found.Unknown, indexed.Unknown)
	})
	return found
}

func (e Engine) lock(t testing.TB, ages repo.Ages, ids ...string) (locked repo.Locked) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		locked, err = e.DB.Lock(ctx, tx, ids, ages)
		require.NoError(t, err)
	})
	return locked
}

func (e Engine) pass(t testing.TB) {
	t.Helper()
	require.NoError(t, e.DB.IndexChanges(context.Background()))
}

func (e Engine) refresh(t testing.TB) {
	t.Helper()
	require.NoError(t, e.DB.IndexAll(context.Background(), nil))
}

// settle refreshes until the index covers every row: a transaction of anybody
// else on the server may keep rows from counting as read.
func (e Engine) settle(t testing.TB, ids ...string) {
	t.Helper()
	e.refresh(t)
	require.Eventually(t, func() bool {
		e.pass(t)
		return e.look(t, ids...).Changed == 0
	}, patience, 50*time.Millisecond)
}

// free says that nothing keeps the files: they are known and not referenced.
func (e Engine) free(t testing.TB, ids ...string) {
	t.Helper()
	found := e.look(t, ids...)
	require.Empty(t, found.Referenced)
	require.Empty(t, found.Unknown)
}
