package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestSameDatabase(t *testing.T) {
	t.Parallel()
	db := testenv.New(t, testenv.Empty())
	system := testenv.Value[string](t, db, `SELECT system_identifier::text FROM pg_control_system()`)
	oid := testenv.Value[uint32](t, db, `SELECT oid FROM pg_database WHERE datname = current_database()`)
	store := newStore(t, db.URL, false)
	require.NoError(t, store.SameDatabase(t.Context(), system, oid))
	require.ErrorContains(t, store.SameDatabase(t.Context(), system+"0", oid), "is not the one of DATABASE_URL")
	require.ErrorContains(t, store.SameDatabase(t.Context(), system, oid+1), "database "+db.Name)
}
