package metrics

import "github.com/prometheus/client_golang/prometheus"

// Disk is the file system of a place that the daemon writes to.
type Disk struct {
	Place       string // a word for it, never a path
	Free, Total uint64 // bytes
}

var (
	diskFree = figure("pruned_disk_free_bytes", "What this user may still write to the file system of a place that the process writes to.", "place")
	diskSize = figure("pruned_disk_size_bytes", "The size of that file system.", "place")
)

// disks asks the system at each scrape.
type disks func() []Disk

func newDisks(list func() []Disk) prometheus.Collector { return disks(list) }

// Describe lists the figures.
func (d disks) Describe(figures chan<- *prometheus.Desc) { figures <- diskFree; figures <- diskSize }

// Collect tells of the file systems that can be asked.
func (d disks) Collect(metrics chan<- prometheus.Metric) {
	for _, disk := range d() {
		metrics <- prometheus.MustNewConstMetric(diskFree, prometheus.GaugeValue, float64(disk.Free), disk.Place)
		metrics <- prometheus.MustNewConstMetric(diskSize, prometheus.GaugeValue, float64(disk.Total), disk.Place)
	}
}
