package config

import "time"

// Consumer is how events are handled.
type Consumer struct {
	Batch      int           `name:"batch" env:"PRUNED_BATCH" default:"500" help:"Events that a transaction starts with."`
	Workers    int           `name:"workers" env:"PRUNED_WORKERS" default:"2" help:"Transactions at the same time."`
	Rate       float64       `name:"rate" env:"PRUNED_RATE" default:"0" help:"Files a second at most; 0: no limit."`
	DryRun     bool          `name:"dry-run" env:"PRUNED_DRY_RUN" help:"Do everything, then roll back."`
	Strict     bool          `name:"strict" env:"PRUNED_STRICT" help:"Lock the tables that hold references for the last look."`
	BytesDelay time.Duration `name:"bytes-delay" env:"PRUNED_BYTES_DELAY" default:"1h" help:"From the commit to the removal of the bytes."`
	Trash      time.Duration `name:"trash" env:"PRUNED_TRASH" default:"72h" help:"How long a deleted file can be restored; its bytes stay for so long. 0: not at all."`
}

func (c Consumer) checkBatches(ps *problems) {
	checkRange(ps, "PRUNED_BATCH", c.Batch, 1, 10_000)
	checkRange(ps, "PRUNED_WORKERS", c.Workers, 1, 64)
	checkMin(ps, "PRUNED_RATE", c.Rate, 0)
	checkMin(ps, "PRUNED_BYTES_DELAY", c.BytesDelay, 0)
	checkMin(ps, "PRUNED_TRASH", c.Trash, 0)
}
