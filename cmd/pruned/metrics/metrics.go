// Package metrics tells Prometheus how a daemon is.
//
// Its central idea is that there are two kinds of figures. What happens is counted where
// it happens: the packages that do the work call plain functions, and know no Prometheus.
// How things are is asked for at each scrape, of what the daemon has open then, and
// within a few seconds, whatever is away. A label is one of a few words that this program
// knows beforehand: never an id, a name, a path or a message, so that the page holds
// nothing of the installation and does not grow with it.
package metrics

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
)

// Options say what is told of.
type Options struct {
	Version  string
	Revision string       // empty where nobody knows it
	Ready    func() bool  // says what /readyz says
	Open     func() *Open // what the daemon has open just now; nil while that is nothing
	Disks    func() []Disk
	Log      zerolog.Logger
}

// Metrics are those of one process.
type Metrics struct {
	registry *prometheus.Registry

	events                *prometheus.CounterVec // by kind and outcome
	repeated, redelivered prometheus.Counter

	transactions *prometheus.CounterVec // by result
	transaction  prometheus.Histogram
	steps        *prometheus.HistogramVec // by step

	removed      *prometheus.CounterVec // by kind
	removedBytes *prometheus.CounterVec // by kind

	sweeps *prometheus.CounterVec // by result
	sweep  prometheus.Histogram

	notifications *prometheus.CounterVec // by result
}

// New makes the metrics of a process. All that is counted begins at zero.
func New(o Options) *Metrics {
	m := newCounters()
	m.registry = prometheus.NewRegistry()
	m.registry.MustRegister(
		m.events, m.repeated, m.redelivered, m.transactions, m.transaction, m.steps, m.removed, m.removedBytes, m.sweeps, m.sweep, m.notifications,
		newBuildInfo(o.Version, o.Revision), newReady(o.Ready), newDisks(o.Disks), newScraper(o.Open, allGroups(), o.Log),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler answers scrapes. It answers 200 with what could be had, also where something is
// away.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

func newReady(ready func() bool) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "pruned_ready", Help: "Whether everything is done that the process is there for, as /readyz says: 1 or 0.",
	}, func() float64 {
		if ready() {
			return 1
		}
		return 0
	})
}

// Figures are what is counted and asked just now, by name and labels as a scrape has them,
// a histogram's sum and count alone; what could not be had is left out.
func (m *Metrics) Figures() map[string]float64 {
	families, _ := m.registry.Gather() // with what could be had
	figures := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += fmt.Sprintf("{%s=%q}", label.GetName(), label.GetValue())
			}
			if h := metric.GetHistogram(); h != nil {
				figures[name+" sum"], figures[name+" count"] = h.GetSampleSum(), float64(h.GetSampleCount())
				continue
			}
			figures[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return figures
}
