package config

import "time"

// Sweep is when sweeps run and what holds them.
type Sweep struct {
	Every       time.Duration `name:"sweep-every" env:"PRUNED_SWEEP_EVERY" default:"5m" help:"Time between sweeps; 0: only when something changed or becomes due."`
	MaxFraction float64       `name:"max-fraction" env:"PRUNED_MAX_FRACTION" default:"0.2" help:"A sweep that finds more than this part to be orphans is held; 1: never for that."`
}

func (s Sweep) checkSweeps(ps *problems) {
	checkMin(ps, "PRUNED_SWEEP_EVERY", s.Every, 0)
	checkRange(ps, "PRUNED_MAX_FRACTION", s.MaxFraction, 0, 1)
}
