package repo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Times: the unit is known by the magnitude, whatever the year.
func TestTimesUnitsAreRecognised(t *testing.T) {
	t.Parallel()
	for _, year := range []int{2002, 2023, 2026, 2100} {
		at := time.Date(year, 3, 1, 12, 30, 15, 0, time.UTC)
		for unit, value := range map[repo.Unit]float64{
			repo.Seconds: float64(at.Unix()), repo.Milliseconds: float64(at.UnixMilli()),
			repo.Microseconds: float64(at.UnixMicro()), repo.Nanoseconds: float64(at.UnixNano()),
		} {
			require.Equal(t, unit, repo.UnitOf(value), "%d", year)
			seconds, known := repo.SecondsOf(value, float64(at.Unix()+1))
			require.True(t, known)
			require.InDelta(t, float64(at.Unix()), seconds, 1e-3)
			_, known = repo.SecondsOf(value, float64(at.Unix()-1))
			require.False(t, known, "it is in the future")
		}
	}
	for _, value := range []float64{0, 1, -1, -1.7e18, 999_999_999} {
		require.Equal(t, repo.NoTime, repo.UnitOf(value))
		_, known := repo.SecondsOf(value, 1.7e9)
		require.False(t, known, "%g is no time of a file", value)
	}
}

// Times: what is not in seconds is told, with its column, its rows and its unit.
func TestTimesUnitsAreTold(t *testing.T) {
	t.Parallel()
	require.Equal(t, "those of table file are in seconds", repo.ExamineTimes(repo.Times{Column: "created_at", Together: 9}).Detail)
	f := repo.ExamineTimes(repo.Times{Column: "created_at", Millis: 12, Together: 40}, repo.Times{Column: "updated_at", Nanos: 3, Future: 2, None: 1, Together: 40})
	require.True(t, f.OK)
	require.Contains(t, f.Detail, "12 of 40 rows have file.created_at in milliseconds")
	require.Contains(t, f.Detail, "3 of 40 rows have file.updated_at in nanoseconds")
	require.Contains(t, f.Detail, "2 have a file.updated_at in the future")
	require.Contains(t, f.Detail, "1 have a file.updated_at that is no time")
	require.Contains(t, f.Do, "divide file.created_at of those in milliseconds by 1000")
}
