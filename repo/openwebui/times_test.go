package openwebui_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/openwebui"
)

// Times: the unit is known by the magnitude, whatever the year.
func TestTimesUnitsAreRecognised(t *testing.T) {
	t.Parallel()
	for _, year := range []int{2002, 2023, 2026, 2100} {
		at := time.Date(year, 3, 1, 12, 30, 15, 0, time.UTC)
		for unit, value := range map[openwebui.Unit]float64{
			openwebui.Seconds: float64(at.Unix()), openwebui.Milliseconds: float64(at.UnixMilli()),
			openwebui.Microseconds: float64(at.UnixMicro()), openwebui.Nanoseconds: float64(at.UnixNano()),
		} {
			got, _ := openwebui.UnitOf(value)
			require.Equal(t, unit, got, "%d", year)
			seconds, known := openwebui.SecondsOf(value, float64(at.Unix()+1))
			require.True(t, known)
			require.InDelta(t, float64(at.Unix()), seconds, 1e-3)
			_, known = openwebui.SecondsOf(value, float64(at.Unix()-1))
			require.False(t, known, "it is in the future")
		}
	}
	for _, value := range []float64{0, 1, -1, -1.7e18, 999_999_999} {
		unit, _ := openwebui.UnitOf(value)
		require.Equal(t, openwebui.NoTime, unit)
		_, known := openwebui.SecondsOf(value, 1.7e9)
		require.False(t, known, "%g is no time of a file", value)
	}
}
