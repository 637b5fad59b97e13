package consumer

import (
	"context"
	"sync"
	"time"
)

// pausing is a handler that stops after its first batch until it is resumed. What
// failed comes again soon.
type pausing struct {
	Handler
	once    sync.Once
	handled chan struct{} // closed after the first batch
	resume  chan struct{}
}

func newPausing(h Handler) *pausing {
	return &pausing{Handler: h, handled: make(chan struct{}), resume: make(chan struct{})}
}

func (p *pausing) Handle(ctx context.Context, events []Delivery, lease time.Time, extend func() error) ([]Result, error) {
	results, err := p.Handler.Handle(ctx, events, lease, extend)
	for n := range results {
		if results[n].Outcome == Failed {
			results[n].RetryIn = 100 * time.Millisecond
		}
	}
	p.once.Do(func() {
		close(p.handled)
		<-p.resume
	})
	return results, err
}
