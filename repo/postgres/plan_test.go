package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
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
