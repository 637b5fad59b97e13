package integration

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"pruned/consumer/event"
)

// pausing is a handler that stops after its first batch until it is resumed. What
// failed is counted, and comes again soon.
type pausing struct {
	event.Handler
	once    sync.Once
	handled chan struct{} // closed after the first batch
	resume  chan struct{}
	failed  atomic.Int64
}

func newPausing(h event.Handler) *pausing {
	return &pausing{Handler: h, handled: make(chan struct{}), resume: make(chan struct{})}
}

func (p *pausing) Handle(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
	results, err := p.Handler.Handle(ctx, events)
	for n := range results {
		if results[n].Outcome == event.Failed {
			p.failed.Add(1)
			results[n].RetryIn = 100 * time.Millisecond
		}
	}
	p.once.Do(func() {
		close(p.handled)
		<-p.resume
	})
	return results, err
}
