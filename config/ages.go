package config

import "time"

// Ages are what a file is measured against.
type Ages struct {
	Min     time.Duration `name:"min-age" env:"PRUNED_MIN_AGE" default:"24h" help:"A file younger than this is kept."`
	Pending time.Duration `name:"pending-age" env:"PRUNED_PENDING_AGE" default:"168h" help:"A file in processing and touched within this is kept."`
	Orphan  time.Duration `name:"orphan-age" env:"PRUNED_ORPHAN_AGE" default:"1h" help:"A file unreferenced for less than this is kept."`
	Cache   time.Duration `name:"cache-age" env:"PRUNED_CACHE_AGE" default:"0" help:"Sweeps remove cached speech and recordings that nothing touched for this long; 0: never."`
}

// minCacheAge is longer than the application works with a file of its cache.
const minCacheAge = time.Hour

func (a Ages) checkAges(ps *problems) {
	checkMin(ps, "PRUNED_MIN_AGE", a.Min, 0)
	checkMin(ps, "PRUNED_PENDING_AGE", a.Pending, 0)
	checkMin(ps, "PRUNED_ORPHAN_AGE", a.Orphan, 0)
	if a.Cache != 0 && a.Cache < minCacheAge {
		ps.addProblem("PRUNED_CACHE_AGE", "%v is out of range: wanted a duration such as 24h or 720h, %v or more, or 0 for never", a.Cache, minCacheAge)
	}
}
