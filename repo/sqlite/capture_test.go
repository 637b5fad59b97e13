package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Capture is PostgreSQL's: the error says so, and ending it is no error.
func TestNothingToCapture(t *testing.T) {
	t.Parallel()
	db := open(t, newMigrated(t, "wal"))
	_, _, err := db.CaptureChanges(t.Context())
	require.ErrorContains(t, err, "--capture is for PostgreSQL")
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.NoError(t, db.ReleaseChanges(t.Context()))
}
