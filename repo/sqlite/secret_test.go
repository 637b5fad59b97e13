package sqlite_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
)

// A column of SQLite's may hold anything, and no error quotes it.
func TestSecretsOfRowsAreNotInErrors(t *testing.T) {
	t.Parallel()
	d := repotest.NewSQLite(t)
	db := open(t, d)
	id := newFile(t, d)
	d.Exec(t, `INSERT INTO pruned_ledger (file_id, outcome, at) VALUES ($1, 'deleted', 'hunter2')`, id)
	failed := false
	for _, err := range db.Ledger(context.Background(), id) {
		failed = failed || err != nil
		require.NotContains(t, err.Error(), "hunter2")
		require.ErrorContains(t, err, "another type than wanted")
	}
	require.True(t, failed)
}
