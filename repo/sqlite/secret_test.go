package sqlite_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// A column of SQLite's may hold anything, and no error quotes it.
func TestSecretsOfRowsAreNotInErrors(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	db := open(t, d)
	id := newFile(t, d)
	d.Exec(t, `INSERT INTO pruned_ledger (file_id, outcome, at) VALUES ($1, 'deleted', 'hunter2')`, id)
	failed := false
	for _, err := range db.ReadLedger(context.Background(), id) {
		failed = failed || err != nil
		require.NotContains(t, err.Error(), "hunter2")
		require.ErrorContains(t, err, "another type than wanted")
	}
	require.True(t, failed)
}

// What a trigger always says is told: an operator wrote it for whoever meets it.
func TestSecretsOfRowsAreNotInErrorsOfTriggers(t *testing.T) {
	t.Parallel()
	for message, says := range map[string]string{
		`'it''s on "legal hold"'`:  `it's on "legal hold"`,
		`'no: ' || OLD.filename`:   repo.Raised,
		`coalesce(OLD.filename,1)`: repo.Raised,
	} {
		d := testenv.NewSQLite(t)
		db := open(t, d)
		id := newFile(t, d)
		d.Exec(t, `UPDATE file SET filename = 'hunter2'`)
		d.Exec(t, `CREATE TRIGGER guard BEFORE DELETE ON file BEGIN SELECT RAISE(ABORT, `+message+`); END`)
		require.NoError(t, db.IndexAll(t.Context(), nil))
		_, err := remove(t.Context(), db, id)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hunter2")
		require.Equal(t, repo.Permanent, repo.KindOf(err))
	}
}
