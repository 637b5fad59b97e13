package metrics

import (
	"cmp"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// newBuildInfo tells which program this is. The revision is known where it was built from
// a checkout.
func newBuildInfo(version, revision string) prometheus.Collector {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "pruned_build_info", Help: "The version of pruned, the revision that it was built from, and the version of Go; always 1.",
		ConstLabels: prometheus.Labels{"version": version, "revision": cmp.Or(revision, "unknown"), "goversion": runtime.Version()},
	})
	gauge.Set(1)
	return gauge
}
