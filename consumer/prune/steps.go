package prune

import "time"

// Step is one of those that a transaction takes, in their order. It is the same word
// wherever their times are told.
type Step string

// The steps. Find is step 2 but for what it asks the stores, Record tombstones and ledger.
const (
	Lock    Step = "lock"
	Find    Step = "find"
	Vectors Step = "vectors"
	Delete  Step = "delete"
	Record  Step = "record"
	Recheck Step = "recheck"
	Commit  Step = "commit"
)

// AllSteps are all of them.
var AllSteps = []Step{Lock, Find, Vectors, Delete, Record, Recheck, Commit}

// Timing says how long the steps of one try took, of those that it came to.
type Timing map[Step]time.Duration

// begin starts a step, and returns what ends it.
func (t Timing) begin(step Step) (end func()) {
	start := time.Now()
	return func() { t[step] += time.Since(start) }
}
