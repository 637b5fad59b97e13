package metrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/prune"
	"pruned/consumer/reap"
	"pruned/repo"
)

// repeated is the outcome of an event about a file that another one of its batch was about.
const repeated = "repeated"

// How a transaction ended. Whether one was committed is unknown where the server never
// answered.
const (
	committed  = "committed"
	rolledBack = "rolled_back"
	dryRun     = "dry_run"
	unknown    = "unknown"
)

// Kinds of what is removed.
const (
	files   = "file"
	chunks  = "chunk"
	objects = "object"
)

// Upper bounds in seconds. A transaction may take a third of a lease, a minute; one file's
// alone may take longer. A step is a part of it.
var (
	transactionBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60}
	stepBuckets        = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
)

// newCounters makes what is counted, each label at zero: a rate needs a first value.
func newCounters() *Metrics {
	m := &Metrics{
		events: newCounter("pruned_events_total",
			"Files that events were about, by what became of them; repeated: further events about a file of the same batch.", "outcome"),
		transactions: newCounter("pruned_transactions_total",
			"Transactions that handled events, each try of a batch, by how they ended.", "result"),
		transaction: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "pruned_transaction_seconds",
			Help: "How long a transaction took, however it ended.", Buckets: transactionBuckets}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "pruned_transaction_step_seconds",
			Help: "How long a step of a transaction took, where it came to that.", Buckets: stepBuckets}, []string{"step"}),
		removed: newCounter("pruned_removed_total",
			"What was removed: rows of files, chunks of vectors, objects of the store of bytes.", "kind"),
		removedBytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "pruned_removed_bytes_total",
			Help: "Bytes of the objects that were removed."}),
	}
	for _, outcome := range event.Outcomes {
		m.events.WithLabelValues(string(outcome))
	}
	m.events.WithLabelValues(repeated)
	for _, result := range []string{committed, rolledBack, dryRun, unknown} {
		m.transactions.WithLabelValues(result)
	}
	for _, step := range prune.AllSteps {
		m.steps.WithLabelValues(string(step))
	}
	for _, kind := range []string{files, chunks, objects} {
		m.removed.WithLabelValues(kind)
	}
	return m
}

func newCounter(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

// CountEvents counts what became of a batch.
func (m *Metrics) CountEvents(s consumer.Summary) {
	for _, outcome := range event.Outcomes {
		m.events.WithLabelValues(string(outcome)).Add(float64(s.CountOf(outcome)))
	}
	m.events.WithLabelValues(repeated).Add(float64(s.Repeated))
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
	m.removedBytes.Add(float64(r.Bytes))
}
