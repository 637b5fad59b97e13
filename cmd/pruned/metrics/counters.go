package metrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/prune"
	"pruned/consumer/reap"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// eventKinds are what events are about, by their types; a message that is no event has none.
var eventKinds = map[string]string{event.FileOrphaned: files, event.CollectionOrphaned: "collection", event.PointsOrphaned: "point", "": "none"}

// How a transaction ended. Whether one was committed is unknown where the server never
// answered.
const (
	committed  = "committed"
	rolledBack = "rolled_back"
	dryRun     = "dry_run"
	unknown    = "unknown"
)

// How a sweep, or a try to tell somebody something, ended. A sweep that held something
// has published nothing of that.
const (
	succeeded = "succeeded"
	held      = "held"
	failed    = "failed"
	sent      = "sent"
)

// Kinds of what is removed, the last four by sweeps.
const (
	files        = "file"
	chunks       = "chunk"
	objects      = "object"
	folders      = "folder"
	cached       = "cached"
	lostRows     = "lost_row"
	danglingRows = "dangling_row"
)

// Upper bounds in seconds. A transaction may take a third of a lease, a minute; one file's
// alone may take longer. A step is a part of it. A sweep may read every table.
var (
	transactionBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60}
	stepBuckets        = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
	sweepBuckets       = []float64{.1, .5, 1, 5, 10, 30, 60, 300, 1800}
)

// newCounters makes what is counted, each label at zero: a rate needs a first value.
func newCounters() *Metrics {
	m := &Metrics{
		events: newCounter("pruned_events_total",
			"What events were about, by its kind and by what became of it.", "kind", "outcome"),
		repeated: prometheus.NewCounter(prometheus.CounterOpts{Name: "pruned_repeated_events_total",
			Help: "Further events about what another one of their batch was about."}),
		redelivered: prometheus.NewCounter(prometheus.CounterOpts{Name: "pruned_redelivered_events_total",
			Help: "Events that the queue had delivered before."}),
		transactions: newCounter("pruned_transactions_total",
			"Transactions that handled events, each try of a batch, by how they ended.", "result"),
		transaction: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "pruned_transaction_seconds",
			Help: "How long a transaction took, however it ended.", Buckets: transactionBuckets}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "pruned_transaction_step_seconds",
			Help: "How long a step of a transaction took, where it came to that.", Buckets: stepBuckets}, []string{"step"}),
		removed: newCounter("pruned_removed_total",
			"What was removed: rows of files, chunks of vectors, objects of the store of bytes; by sweeps folders of vectors, cached files, rows that nothing can reach.", "kind"),
		removedBytes: newCounter("pruned_removed_bytes_total",
			"Bytes of what was removed, where it is known how many it has.", "kind"),
		sweeps: newCounter("pruned_sweeps_total", "Sweeps of this process that ended, by how.", "result"),
		sweep: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "pruned_sweep_seconds",
			Help: "How long a sweep took, however it ended.", Buckets: sweepBuckets}),
	}
	m.notifications = newCounter("pruned_notifications_total", "Tries to tell PRUNED_NOTIFY_URL something, by how they ended.", "result")
	m.beginAtZero()
	return m
}

// beginAtZero makes every counter that can ever be told, but of a message that is no event
// only what may become of one.
func (m *Metrics) beginAtZero() {
	for typ, kind := range eventKinds {
		for _, outcome := range event.Outcomes {
			if (outcome == event.Invalid) == (typ == "") {
				m.events.WithLabelValues(kind, string(outcome))
			}
		}
	}
	for _, result := range []string{committed, rolledBack, dryRun, unknown} {
		m.transactions.WithLabelValues(result)
	}
	for _, step := range prune.AllSteps {
		m.steps.WithLabelValues(string(step))
	}
	for _, kind := range []string{files, chunks, objects, folders, cached, lostRows, danglingRows} {
		m.removed.WithLabelValues(kind)
	}
	for _, kind := range []string{objects, folders, cached} {
		m.removedBytes.WithLabelValues(kind)
	}
	for _, result := range []string{succeeded, held, failed} {
		m.sweeps.WithLabelValues(result)
	}
	for _, result := range []string{sent, failed} {
		m.notifications.WithLabelValues(result)
	}
}

func newCounter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// CountEvents counts what became of a batch.
func (m *Metrics) CountEvents(r consumer.BatchReport) {
	for which, n := range r.Outcomes {
		m.events.WithLabelValues(eventKinds[which.Type], string(which.Outcome)).Add(float64(n))
	}
	m.repeated.Add(float64(r.Repeated))
	m.redelivered.Add(float64(r.Redelivered))
}

// CountTransaction counts a try of a transaction, and what it removed if it committed.
func (m *Metrics) CountTransaction(r prune.Report, err error) {
	m.transactions.WithLabelValues(resultOf(err)).Inc()
	m.transaction.Observe(r.Took.Seconds())
	for step, took := range r.Timing {
		m.steps.WithLabelValues(string(step)).Observe(took.Seconds())
	}
	if err == nil {
		m.removed.WithLabelValues(files).Add(float64(r.Rows))
		m.removed.WithLabelValues(chunks).Add(float64(r.Chunks))
	}
}

func resultOf(err error) string {
	switch {
	case err == nil:
		return committed
	case errors.Is(err, repo.ErrDryRun):
		return dryRun
	case repo.KindOf(err) == repo.Unknown:
		return unknown
	}
	return rolledBack
}

// CountRemoved counts what tombstones freed.
func (m *Metrics) CountRemoved(r reap.Removed) {
	m.removed.WithLabelValues(chunks).Add(float64(r.Chunks))
	m.removed.WithLabelValues(objects).Add(float64(r.Objects))
	m.removedBytes.WithLabelValues(objects).Add(float64(r.Bytes))
}

// CountSweep counts a sweep, and what it removed itself. In a dry run that was nothing.
func (m *Metrics) CountSweep(s sweep.State, dry bool) {
	result := succeeded
	switch {
	case s.Err != nil:
		result = failed
	case len(s.Report.Holds) > 0:
		result = held
	}
	m.sweeps.WithLabelValues(result).Inc()
	m.sweep.Observe(s.Took.Seconds())
	if dry {
		return
	}
	m.addRemoved(folders, s.Report.Folders.Removed, s.Report.Folders.Freed)
	if c := s.Report.Cache; c != nil && c.Waits == "" {
		m.addRemoved(cached, c.Files, c.Bytes)
	}
	if r := s.Report.Rows; r != nil {
		m.removed.WithLabelValues(lostRows).Add(float64(r.Removed))
	}
	if d := s.Report.Dangling; d != nil {
		m.removed.WithLabelValues(danglingRows).Add(float64(d.Removed))
	}
}

// CountNotification counts a try to tell somebody something.
func (m *Metrics) CountNotification(err error) {
	if err != nil {
		m.notifications.WithLabelValues(failed).Inc()
		return
	}
	m.notifications.WithLabelValues(sent).Inc()
}

func (m *Metrics) addRemoved(kind string, n, bytes int64) {
	m.removed.WithLabelValues(kind).Add(float64(n))
	m.removedBytes.WithLabelValues(kind).Add(float64(bytes))
}
