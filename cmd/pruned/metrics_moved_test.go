package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// movedBy says which test moves which metric: that of the daemon at work, of what waits, of
// notifications, of failures. Each requires that it saw them move.
var movedBy = map[string][]string{
	"work": {
		"pruned_events_total", "pruned_repeated_events_total", "pruned_transactions_total", "pruned_transaction_seconds",
		"pruned_transaction_step_seconds", "pruned_removed_total", "pruned_removed_bytes_total", "pruned_queue_dead_letters",
		"pruned_sweeps_total", "pruned_sweep_seconds", "pruned_sweep_last_orphans", "pruned_sweep_last_published_events",
		"pruned_sweep_last_duration_seconds", "pruned_sweep_last_success_timestamp_seconds", "pruned_index_age_seconds",
	},
	"waiting": {
		"pruned_holds", "pruned_sweep_last_held_orphans", "pruned_tombstones", "pruned_tombstones_overdue_seconds",
		"pruned_trash_files", "pruned_trash_bytes", "pruned_queue_pending_events", "pruned_queue_unacked_events",
		"pruned_queue_oldest_event_age_seconds", "pruned_redelivered_events_total", "pruned_paused",
	},
	"notifications": {"pruned_notifications_total"},
	"failures":      {"pruned_ready", "pruned_sweep_consecutive_failures", "pruned_scrape_errors_total"},
	// Those of disks TestDisksAreAskedAtEachScrape moves, and the program's own cannot.
	"elsewhere": {"pruned_disk_free_bytes", "pruned_disk_size_bytes", "pruned_build_info"},
}

// figuresSeen are the values that figures had, by metric and series.
type figuresSeen map[string]map[string]map[float64]bool

var histogramPart = regexp.MustCompile(`_(bucket|sum|count)$`)

func metricOf(series string) string {
	name, _, _ := strings.Cut(series, "{")
	return histogramPart.ReplaceAllString(name, "")
}

// add notes a scrape. A series that comes later was zero until then.
func (f *figuresSeen) add(read gauges) {
	first := *f == nil
	if first {
		*f = figuresSeen{}
	}
	for series, value := range read {
		metric := metricOf(series)
		if (*f)[metric] == nil {
			(*f)[metric] = map[string]map[float64]bool{}
		}
		if (*f)[metric][series] == nil {
			(*f)[metric][series] = map[float64]bool{}
			if !first {
				(*f)[metric][series][0] = true
			}
		}
		(*f)[metric][series][value] = true
	}
}

// requireMoved wants that of each metric of a test one series had two values.
func (f figuresSeen) requireMoved(t *testing.T, by string) {
	t.Helper()
	for _, metric := range movedBy[by] {
		moved := false
		for _, values := range f[metric] {
			moved = moved || len(values) > 1
		}
		require.True(t, moved, "%s did not move: %v", metric, f[metric])
	}
}

// Nobody looks at a figure, or is woken by one, of which no test has seen that it moves.
func TestEveryMetricOfDashboardAndAlertsIsMoved(t *testing.T) {
	t.Parallel()
	moved := map[string]bool{}
	for _, names := range movedBy {
		for _, name := range names {
			moved[name] = true
		}
	}
	for _, file := range []string{"metrics/dashboard.json", "metrics/alerts.yaml"} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		names := regexp.MustCompile(`\bpruned_\w+`).FindAllString(string(content), -1)
		require.NotEmpty(t, names, file)
		for _, name := range names {
			require.True(t, moved[metricOf(name)], "%s: no test moves %s", file, name)
		}
	}
}
