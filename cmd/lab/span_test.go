package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSweepsAreApart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spans [][2]int
		error string
	}{
		{"none", nil, "no daemon swept"},
		{"one", [][2]int{{0, 10}}, ""},
		{"one after the other, told in no order", [][2]int{{20, 30}, {0, 10}, {10, 20}}, ""},
		{"one waited for the lease of the other", [][2]int{{0, 10}, {6, 16}}, ""},
		{"a short one that ended just before", [][2]int{{0, 10}, {9, 12}}, ""},
		{"side by side", [][2]int{{0, 10}, {1, 11}}, "two daemons swept at once: 00:00:00 for 10s, 00:00:01 for 10s"},
		{"within a long one", [][2]int{{0, 100}, {40, 45}}, "two daemons swept at once: 00:00:00 for 1m40s, 00:00:40 for 5s"},
		{"within a long one, which others began after", [][2]int{{0, 100}, {95, 110}, {50, 60}}, "two daemons swept at once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var spans []span
			for _, s := range tt.spans {
				second := func(n int) time.Time { return time.Unix(int64(n), 0).UTC() }
				spans = append(spans, span{second(s[0]), second(s[1])})
			}
			err := checkApart(spans)
			if tt.error == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.error)
		})
	}
}
