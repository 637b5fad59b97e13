package metrics

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// newBuildInfo tells which program this is. The revision is known where it was built from
// a checkout.
func newBuildInfo(version string) prometheus.Collector {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "pruned_build_info", Help: "The version of pruned, the revision that it was built from, and the version of Go; always 1.",
		ConstLabels: prometheus.Labels{"version": version, "revision": findRevision(), "goversion": runtime.Version()},
	})
	gauge.Set(1)
	return gauge
}

func findRevision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}
