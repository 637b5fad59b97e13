package sweep

import (
	"time"

	"github.com/cenkalti/backoff/v4"

	"pruned/consumer/loop"
)

// plan says when the next sweep is.
type plan struct {
	every  time.Duration
	pauses *backoff.ExponentialBackOff

	at      time.Time
	failing bool // hints do not bring forward what has just failed
}

// never is beyond the life of any process, and of no overflow.
const never = 10 * 365 * 24 * time.Hour

// newPlan begins with a sweep at once.
func newPlan(every time.Duration) *plan {
	return &plan{every: every, pauses: loop.Backoff(time.Second, time.Minute), at: time.Now()}
}

func (p *plan) bringForward(debounce time.Duration) {
	if at := time.Now().Add(debounce); !p.failing && at.Before(p.at) {
		p.at = at
	}
}

func (p *plan) planRetry(pause time.Duration) {
	p.at, p.failing = time.Now().Add(pause), true
}

// planNext plans the next sweep, given in how long the first candidate becomes
// due, if there is any. One that is due already was held back.
func (p *plan) planNext(in time.Duration, waiting bool) {
	p.failing = false
	p.pauses.Reset()
	next := p.every
	if next <= 0 {
		next = never
	}
	switch {
	case waiting && in <= 0:
		next = min(next, sweepSoonest)
	case waiting:
		next = min(next, in+dueSlack)
	}
	p.at = time.Now().Add(next)
}
