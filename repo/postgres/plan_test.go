package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Looks are planned once a session: planning one takes longer than running it.
func TestLooksArePlannedOnce(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 3)
	testenv.InsertNote(t, d.Pool, ids[0])
	require.NoError(t, db.IndexAll(t.Context(), nil))
	count := func(tx repo.Tx, where string) int64 {
		n, err := tx.Exec(t.Context(), `SELECT FROM pg_prepared_statements WHERE statement LIKE '%''snapshot''%' AND `+where)
		require.NoError(t, err)
		return n
	}
	for round := range 3 {
		require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
			found, err := db.FindReferences(t.Context(), tx, ids)
			require.NoError(t, err)
			require.Contains(t, found.Referenced, ids[0])
			_, err = db.RecheckReferences(t.Context(), tx, found, ids[1:], nil)
			require.NoError(t, err)
			require.Zero(t, count(tx, "custom_plans > 0"))
			require.EqualValues(t, 2, count(tx, fmt.Sprintf("generic_plans = %d", round+1)))
			return nil
		}))
	}
}

// The second look reads no table where nothing was committed since the first. The tests share
// a server: a round in which another one wrote proves nothing, and is repeated.
func TestSecondLookReadsOnlyWhatMayHaveChanged(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	require.NoError(t, db.IndexAll(t.Context(), nil))
	count := func(tx repo.Tx, sql string, args ...any) int64 {
		n, err := tx.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
		return n
	}
	const scansSQL = `SELECT FROM pg_stat_xact_user_tables, generate_series(1, seq_scan) WHERE relid = 'public.note'::regclass`
	// scansOf looks twice, and counts how often the second look reads the notes.
	scansOf := func(between func()) (scans int64, quiet bool) {
		inTx(t, db, func(tx repo.Tx) {
			_, err := db.Lock(t.Context(), tx, ids, repo.Ages{})
			require.NoError(t, err)
			found, err := db.FindReferences(t.Context(), tx, ids)
			require.NoError(t, err)
			between()
			before := count(tx, scansSQL)
			_, err = db.RecheckReferences(t.Context(), tx, found, ids, nil)
			require.NoError(t, err)
			scans = count(tx, scansSQL) - before
			quiet = count(tx, `SELECT WHERE pg_current_snapshot()::text = $1::json ->> 'Snapshot'`, found.Snapshot) == 1
		})
		return scans, quiet
	}
	require.Eventually(t, func() bool {
		scans, quiet := scansOf(func() {})
		require.True(t, scans == 0 || !quiet, "%d scans", scans)
		return quiet
	}, testTimeout, tick)
	scans, _ := scansOf(func() { testenv.InsertNote(t, d.Pool, "of no file") })
	require.EqualValues(t, 1, scans)
}

// What is prepared outlives a change of the table that it names: a column of another type,
// and another table of the same name, as a restore makes it.
func TestPreparedStatementsOutliveTheirTable(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := newFiles(t, d, 1)[0]
	require.NoError(t, db.IndexAll(t.Context(), nil))
	locks := func() {
		t.Helper()
		for range 7 { // on each session, beyond the plans that are made for values
			require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
				locked, err := db.Lock(t.Context(), tx, []string{id}, repo.Ages{})
				require.NoError(t, err)
				require.Len(t, locked.Files, 1)
				living, err := db.StillReferenced(t.Context(), tx, []repo.Tombstone{{Seq: 1, Kind: repo.Vectors, FileID: id}})
				require.NoError(t, err)
				require.True(t, living[1])
				return nil
			}))
		}
	}
	locks()
	d.Exec(t, `ALTER TABLE file ALTER COLUMN id TYPE varchar(255), ALTER COLUMN path TYPE varchar(4000)`)
	locks()
	d.Exec(t, `ALTER TABLE file RENAME TO file_of_before`)
	d.Exec(t, `CREATE TABLE file (LIKE file_of_before INCLUDING ALL)`)
	d.Exec(t, `INSERT INTO file SELECT * FROM file_of_before`)
	locks()
}

// A pass that ends between a new plan and its statement outdates the plan. The look makes
// another one, and again, but does not go on for as long as passes end.
func TestPassBetweenAPlanAndItsStatement(t *testing.T) {
	t.Parallel()
	d, other := newDB(t)
	ids := newFiles(t, d, 2)
	testenv.InsertNote(t, d.Pool, ids[0])
	refresh(t, other)
	tables := 0
	// find looks with no plan, and has so many passes read a table of their own meanwhile.
	find := func(passes int) (found repo.References, searched int, err error) {
		db := open(t, d)
		err = db.InTx(t.Context(), nil, func(tx repo.Tx) error {
			found, err = db.FindReferences(t.Context(), postgres.BeforeSearch(tx, func() {
				if searched++; searched > passes {
					return
				}
				tables++
				d.Exec(t, fmt.Sprintf(`CREATE TABLE of_a_plugin_%d (id text PRIMARY KEY)`, tables))
				refresh(t, other)
			}), ids)
			return err
		})
		return found, searched, err
	}
	for passes := range 3 {
		found, searched, err := find(passes)
		require.NoError(t, err)
		require.Equal(t, passes+1, searched)
		require.Contains(t, found.Referenced, ids[0])
		require.NotContains(t, found.Referenced, ids[1])
	}
	_, searched, err := find(1000)
	require.Equal(t, 3, searched)
	require.Equal(t, repo.Passing, repo.KindOf(err))
}
