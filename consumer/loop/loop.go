// Package loop holds what the loops of a daemon share: a sleep that ends with its
// context, pauses that grow, and a heartbeat that tells a loop which hangs from one
// which works.
package loop

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Sleep returns false if ctx ended first.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// NewBackoff returns pauses that grow from first to most and never end.
func NewBackoff(first, most time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(first), backoff.WithMaxInterval(most), backoff.WithMaxElapsedTime(0))
}

// Heartbeat is when a loop last came round.
type Heartbeat struct{ at atomic.Int64 }

// Beat says that it comes round now.
func (p *Heartbeat) Beat() { p.at.Store(time.Now().UnixNano()) }

// Age is how long ago that was; zero before the first time.
func (p *Heartbeat) Age() time.Duration {
	at := p.at.Load()
	if at == 0 {
		return 0
	}
	return time.Since(time.Unix(0, at))
}
