package repo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Times: what is not in seconds is told, with its column, its rows and its unit.
func TestTimesUnitsAreTold(t *testing.T) {
	t.Parallel()
	require.Equal(t, "those of table file are in seconds", repo.CheckTimes(repo.Times{Column: "created_at", Together: 9}).Detail)
	f := repo.CheckTimes(repo.Times{Column: "created_at", Millis: 12, Together: 40}, repo.Times{Column: "updated_at", Nanos: 3, Future: 2, None: 1, Together: 40})
	require.True(t, f.OK)
	require.Contains(t, f.Detail, "12 of 40 rows have file.created_at in milliseconds")
	require.Contains(t, f.Detail, "3 of 40 rows have file.updated_at in nanoseconds")
	require.Contains(t, f.Detail, "2 have a file.updated_at in the future")
	require.Contains(t, f.Detail, "1 have a file.updated_at that is no time")
	require.Contains(t, f.Remedy, "divide file.created_at of those in milliseconds by 1000")
}
