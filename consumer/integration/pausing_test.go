package integration

import (
	"context"
	"sync"
	"time"

	"pruned/consumer/event"
)

// pausing is a handler that stops after its first batch until it is resumed. What
// failed comes again soon.
type pausing struct {
	event.Handler
	once    sync.Once
	handled chan struct{} // closed after the first batch
	resume  chan struct{}
}

func newPausing(h event.Handler) *pausing {
	return &pausing{Handler: h, handled: make(chan struct{}), resume: make(chan struct{})}
}

func (p *pausing) Handle(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
	results, err := p.Handler.Handle(ctx, events)
	for n := range results {
		if results[n].Outcome == event.Failed {
			results[n].RetryIn = 100 * time.Millisecond
		}
	}
	p.once.Do(func() {
		close(p.handled)
		<-p.resume
	})
	return results, err
}
