package metrics

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// one is a group of one reading, about a gauge of its own name.
func one(name string, read func(context.Context) error) group {
	gauge := figure("pruned_test_"+name, "A test.")
	return group{name, []reading{{name, []*prometheus.Desc{gauge}, func(ctx context.Context, _ *Open, tell emit) error {
		tell(gauge, 1)
		return read(ctx)
	}}}}
}

func well(context.Context) error { return nil }

// scraping makes a scraper of some groups that waits for a moment only.
func scraping(t *testing.T, open *Open, groups ...group) *prometheus.Registry {
	t.Helper()
	s := newScraper(func() *Open { return open }, groups, zerolog.Nop())
	s.readTimeout, s.waitTimeout = 50*time.Millisecond, 200*time.Millisecond
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(s)
	return r
}

// told says which figures a scrape has, by their names, and their values summed up.
func told(t *testing.T, r prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			values[family.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values
}

// What fails is left out, all of it, and counted; the rest is told.
func TestFailureOfOneSourceLeavesOutItsFigures(t *testing.T) {
	t.Parallel()
	r := scraping(t, &Open{}, one("sound", well), one("broken", func(context.Context) error { return errors.New("away") }))
	require.Equal(t, map[string]float64{"pruned_test_sound": 1, "pruned_scrape_errors_total": 1}, told(t, r))
	require.Equal(t, map[string]float64{"pruned_test_sound": 1, "pruned_scrape_errors_total": 2}, told(t, r))
}

// A source that hangs holds up nobody for long, whether or not it heeds its deadline,
// and is asked once however many wait for it.
func TestSourceThatHangsEndsNoScrape(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	release, released := make(chan struct{}), make(chan struct{})
	r := scraping(t, &Open{}, one("sound", well),
		one("slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }),
		one("deaf", func(context.Context) error { asked.Add(1); <-release; close(released); return nil }))
	scrapes := make(chan map[string]float64)
	const times = 3
	for range times {
		go func() {
			values := map[string]float64{}
			families, _ := r.Gather()
			for _, family := range families {
				values[family.GetName()]++
			}
			scrapes <- values
		}()
	}
	for range times {
		require.Equal(t, map[string]float64{"pruned_test_sound": 1, "pruned_scrape_errors_total": 1}, <-scrapes)
	}
	require.EqualValues(t, 1, asked.Load())
	close(release)
	<-released
}

// Without anything open there is nothing to ask, which is no failure.
func TestNothingOpenIsNoFailure(t *testing.T) {
	t.Parallel()
	r := scraping(t, nil, one("sound", well))
	require.Equal(t, map[string]float64{"pruned_scrape_errors_total": 0}, told(t, r))
}

// All figures have names and helps as they should be, and none is there twice.
func TestMetricsAreAsPrometheusWantsThem(t *testing.T) {
	t.Parallel()
	m := newTest(t)
	problems, err := testutil.GatherAndLint(m.registry)
	require.NoError(t, err)
	require.Empty(t, problems)
	values := told(t, m.registry)
	require.Subset(t, values, map[string]float64{"pruned_ready": 1, "pruned_build_info": 1})
	require.Contains(t, values, "go_goroutines")
	described := make(chan *prometheus.Desc, 1000)
	newScraper(nil, allGroups(), zerolog.Nop()).Describe(described)
	close(described)
	names := map[string]bool{}
	for d := range described {
		require.False(t, names[d.String()], d.String())
		names[d.String()] = true
	}
}
