package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestIsInTheSameDatabase(t *testing.T) {
	t.Parallel()
	db := testenv.New(t, testenv.Empty())
	system := testenv.Value[string](t, db, `SELECT system_identifier::text FROM pg_control_system()`)
	oid := testenv.Value[uint32](t, db, `SELECT oid FROM pg_database WHERE datname = current_database()`)
	store := newStore(t, db.URL, false)
	isIn := func(system string, oid uint32) bool {
		same, err := store.IsIn(t.Context(), system, oid)
		require.NoError(t, err)
		return same
	}
	require.True(t, isIn(system, oid))
	require.False(t, isIn(system+"0", oid))
	require.False(t, isIn(system, oid+1))
}
