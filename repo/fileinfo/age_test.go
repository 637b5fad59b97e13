package fileinfo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Times: the younger of both counts, and one in the future only where there is no
// other, as now.
func TestTimesOfBytes(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		modified, changed time.Time
		want              time.Duration
	}{
		"both":                    {ago(time.Hour), ago(time.Hour), time.Hour},
		"restored":                {ago(720 * time.Hour), ago(time.Minute), time.Minute},
		"changed by a later copy": {ago(time.Minute), ago(time.Hour), time.Minute},
		"modified in the future":  {ago(-time.Hour), ago(time.Minute), time.Minute},
		"changed in the future":   {ago(time.Hour), ago(-time.Hour), time.Hour},
		"both in the future":      {ago(-time.Hour), ago(-2 * time.Hour), 0},
		"no time of change":       {ago(time.Hour), time.Time{}, time.Hour},
		"and in the future":       {ago(-time.Hour), time.Time{}, 0},
	} {
		require.Equal(t, c.want, youngestAge(now, c.modified, c.changed), name)
	}
}
