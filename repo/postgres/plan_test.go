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
