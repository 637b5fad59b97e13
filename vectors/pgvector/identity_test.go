package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
)

func TestSameDatabase(t *testing.T) {
	t.Parallel()
	db := repotest.New(t, repotest.Empty())
	system := repotest.Value[string](t, db, `SELECT system_identifier::text FROM pg_control_system()`)
	oid := repotest.Value[uint32](t, db, `SELECT oid FROM pg_database WHERE datname = current_database()`)
	store := newStore(t, db.URL, false)
	require.NoError(t, store.SameDatabase(t.Context(), system, oid))
	require.ErrorContains(t, store.SameDatabase(t.Context(), system+"0", oid), "is not the one of DATABASE_URL")
	require.ErrorContains(t, store.SameDatabase(t.Context(), system, oid+1), "database "+db.Name)
}
