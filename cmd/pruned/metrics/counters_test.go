package metrics

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// newTest makes metrics of a process that has something open, of which every reading tells
// each of its figures.
func newTest(t *testing.T) *Metrics {
	t.Helper()
	m := New(Options{Version: "1", Ready: func() bool { return true }, Open: func() *Open { return nil }, Log: zerolog.Nop(),
		Disks: func() []Disk { return []Disk{{Place: "uploads", Free: 1, Total: 2}} }})
	groups := allGroups()
	for i := range groups {
		for k := range groups[i].readings {
			r := &groups[i].readings[k]
			r.read = func(_ context.Context, _ *Open, tell emit) error {
				for _, figure := range r.figures {
					if strings.Contains(figure.String(), "variableLabels: {}") {
						tell(figure, 1)
					} else {
						tell(figure, 1, "row")
					}
				}
				return nil
			}
		}
	}
	m.registry.Unregister(newScraper(nil, allGroups(), zerolog.Nop()))
	m.registry.MustRegister(newScraper(func() *Open { return &Open{} }, groups, zerolog.Nop()))
	return m
}

// Each kind and outcome of events is counted for itself.
func TestBatchesAreCountedByKind(t *testing.T) {
	t.Parallel()
	m := newTest(t)
	m.CountEvents(consumer.BatchReport{
		Summary: consumer.Summary{Repeated: 2}, Redelivered: 3,
		Outcomes: map[consumer.Counted]int{
			{Type: event.FileOrphaned, Outcome: event.Deleted}: 5, {Type: event.CollectionOrphaned, Outcome: event.Kept}: 6,
			{Type: event.PointsOrphaned, Outcome: event.Gone}: 7, {Outcome: event.Invalid}: 8,
		},
	})
	for labels, want := range map[[2]string]float64{
		{"file", "deleted"}: 5, {"collection", "kept"}: 6, {"point", "gone"}: 7, {"none", "invalid"}: 8, {"file", "kept"}: 0,
	} {
		require.InDelta(t, want, testutil.ToFloat64(m.events.WithLabelValues(labels[:]...)), 0, labels)
	}
	require.InDelta(t, 2, testutil.ToFloat64(m.repeated), 0)
	require.InDelta(t, 3, testutil.ToFloat64(m.redelivered), 0)
}

// Sweeps are counted by how they ended, with what they removed; a dry one removes nothing.
func TestSweepsAreCounted(t *testing.T) {
	t.Parallel()
	m := newTest(t)
	report := sweep.Report{
		Folders: sweep.Folders{Removed: 1, Freed: 10}, Cache: &sweep.CacheReport{CacheFiles: repo.CacheFiles{Files: 2, Bytes: 20}},
		Rows: &sweep.Rows{Removed: 3}, Dangling: &sweep.Dangling{Removed: 4},
	}
	m.CountSweep(sweep.State{Report: report, Took: time.Second}, false)
	m.CountSweep(sweep.State{Report: report}, true)
	m.CountSweep(sweep.State{Err: errors.New("away")}, false)
	m.CountSweep(sweep.State{Report: sweep.Report{Holds: []repo.Hold{{}}, Cache: &sweep.CacheReport{Waits: "for the folder", CacheFiles: repo.CacheFiles{Files: 9}}}}, false)
	for counter, want := range map[prometheus.Counter]float64{
		m.sweeps.WithLabelValues("succeeded"): 2, m.sweeps.WithLabelValues("failed"): 1, m.sweeps.WithLabelValues("held"): 1,
		m.removed.WithLabelValues("folder"): 1, m.removed.WithLabelValues("cached"): 2, m.removed.WithLabelValues("lost_row"): 3,
		m.removed.WithLabelValues("dangling_row"): 4, m.removedBytes.WithLabelValues("folder"): 10, m.removedBytes.WithLabelValues("cached"): 20,
	} {
		require.InDelta(t, want, testutil.ToFloat64(counter), 0, counter.Desc().String())
	}
}
