package prune

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"pruned/consumer/event"
)

// brief finds how many files one transaction may deal with where transactions keep
// everybody else from writing: as many as take no longer than that engine wants.
type brief struct {
	longest time.Duration // zero: no matter
	files   atomic.Int64
}

// firstBrief is how many files the first transaction deals with.
const firstBrief = 50

func (b *brief) init(longest time.Duration) {
	b.longest = longest
	b.files.Store(firstBrief)
}

// take says how many of n files to deal with at once.
func (b *brief) take(n int) int {
	if b.longest <= 0 {
		return n
	}
	return min(n, int(b.files.Load()))
}

// learn takes into account how long a transaction over n files held everybody up.
func (b *brief) learn(n int, held time.Duration) {
	if b.longest <= 0 || held <= 0 {
		return
	}
	fits := int64(float64(n) * float64(b.longest) / float64(held))
	if now := b.files.Load(); fits < now || int64(n) >= now {
		b.files.Store(max(min(fits, 2*now), 1))
	}
}

var errLeaseOver = errors.New("half of its lease is over")

// briefly handles events in transactions that are as short as the engine wants
// them. What half of the lease is too short for comes again.
func (h *halving) briefly(ctx context.Context, events []event.Delivery) error {
	for first := true; len(events) > 0; first = false {
		if !first && time.Now().After(h.until) {
			h.fail(events, errLeaseOver)
			return nil
		}
		n := h.brief.take(len(events))
		if err := h.run(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}
