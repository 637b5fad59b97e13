package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"
)

const (
	// readTimeout bounds what is asked of one server for a scrape; waitTimeout is how long a
	// scrape waits for that, also where a server, or its driver, heeds no deadline.
	readTimeout = 3 * time.Second
	waitTimeout = 4 * time.Second
)

// emit tells a figure of a reading.
type emit func(figure *prometheus.Desc, value float64, labels ...string)

// reading reads figures that are to be had together or not at all.
type reading struct {
	source  string // as pruned_scrape_errors_total names it
	figures []*prometheus.Desc
	read    func(ctx context.Context, open *Open, tell emit) error
}

// group is readings that ask the same server, one after the other: a scrape takes no more
// than one session. What is cheap comes first.
type group struct {
	name     string
	readings []reading
}

// scraper reads how things are when it is collected. Scrapes that come at once share what
// is read, so that a server that hangs is asked once, however many wait.
type scraper struct {
	open    func() *Open
	groups  []group
	failed  *prometheus.CounterVec // by source
	flights singleflight.Group
	log     zerolog.Logger

	readTimeout, waitTimeout time.Duration
}

func newScraper(open func() *Open, groups []group, log zerolog.Logger) *scraper {
	s := &scraper{
		open: open, groups: groups, log: log, readTimeout: readTimeout, waitTimeout: waitTimeout,
		failed: newCounter("pruned_scrape_errors_total", "How often a source could not be read at a scrape, which leaves its figures out.", "source"),
	}
	for _, g := range groups {
		for _, r := range g.readings {
			s.failed.WithLabelValues(r.source)
		}
	}
	return s
}

// Describe lists the figures.
func (s *scraper) Describe(figures chan<- *prometheus.Desc) {
	for _, g := range s.groups {
		for _, r := range g.readings {
			for _, figure := range r.figures {
				figures <- figure
			}
		}
	}
	s.failed.Describe(figures)
}

// Collect reads all groups at the same time. Failures are told last, those of this scrape
// among them.
func (s *scraper) Collect(metrics chan<- prometheus.Metric) {
	defer s.failed.Collect(metrics)
	open := s.open()
	if open == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.waitTimeout)
	defer cancel()
	answers := make([]<-chan singleflight.Result, len(s.groups))
	for i, g := range s.groups {
		answers[i] = s.flights.DoChan(g.name, func() (any, error) { return s.readGroup(open, g), nil })
	}
	for i, answer := range answers {
		select {
		case read := <-answer:
			for _, metric := range read.Val.([]prometheus.Metric) {
				metrics <- metric
			}
		case <-ctx.Done():
			for _, r := range s.groups[i].readings {
				s.noteFailure(r, ctx.Err())
			}
		}
	}
}

// readGroup reads what can be read of a group.
func (s *scraper) readGroup(open *Open, g group) (all []prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), s.readTimeout)
	defer cancel()
	for _, r := range g.readings {
		var read []prometheus.Metric
		err := r.read(ctx, open, func(figure *prometheus.Desc, value float64, labels ...string) {
			read = append(read, prometheus.MustNewConstMetric(figure, prometheus.GaugeValue, value, labels...))
		})
		if err != nil {
			s.noteFailure(r, err)
			continue
		}
		all = append(all, read...)
	}
	return all
}

// noteFailure counts a source that could not be read. The log says why, to those who look:
// what is away others say aloud.
func (s *scraper) noteFailure(r reading, err error) {
	s.failed.WithLabelValues(r.source).Inc()
	s.log.Debug().Err(err).Str("source", r.source).Msg("not read for a scrape")
}
