package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/repotest"
)

func TestMain(m *testing.M) { repotest.Main(m) }

// open opens a database with our tables in it.
func open(t testing.TB, d *repotest.Database) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL, Schema: d.Schema})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

// look looks for ids in a transaction of its own.
func look(t testing.TB, db *postgres.DB, ids ...string) (found repo.Look) {
	t.Helper()
	require.NoError(t, db.InTx(t.Context(), nil, func(tx repo.Tx) (err error) {
		found, err = db.Look(t.Context(), tx, ids)
		return err
	}))
	return found
}

var _ = context.Background
