package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// outage is one reason why no events are handled. Whoever begins or ends it
// learns whether that changed anything, and so logs it once.
type outage struct {
	mu    sync.Mutex
	cause error
	begun chan struct{} // closed while the outage lasts
}

func newOutage() *outage { return &outage{begun: make(chan struct{})} }

func (o *outage) set(cause error) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	first = o.cause == nil
	o.cause = cause
	if first {
		close(o.begun)
	}
	return first
}

func (o *outage) clear() (was bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cause == nil {
		return false
	}
	o.cause, o.begun = nil, make(chan struct{})
	return true
}

func (o *outage) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cause
}

// isSet returns a channel that is closed once the outage has begun.
func (o *outage) isSet() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.begun
}

// ErrConsumerPaused: somebody paused a consumer of ours by other means.
var ErrConsumerPaused = errors.New("it is paused: `nats consumer resume` lets it go on")

// pausedEvery is how often a consumer that brings nothing is asked whether it is
// paused: by what it brings nobody can tell.
const pausedEvery = 30 * time.Second

// checkPaused refuses a consumer that somebody paused. In a queue of our own that was
// nobody's right: it is resumed.
func (q *Queue) checkPaused(ctx context.Context, info *jetstream.ConsumerInfo) error {
	if !info.Paused {
		return nil
	}
	if !q.opts.Embedded {
		return fmt.Errorf("consumer %s of stream %s delivers nothing for another %s: %w", info.Name, info.Stream, info.PauseRemaining.Round(time.Second), ErrConsumerPaused)
	}
	if _, err := q.js.ResumeConsumer(ctx, info.Stream, info.Name); err != nil {
		return fmt.Errorf("resuming consumer %s of stream %s: %w", info.Name, info.Stream, err)
	}
	q.opts.Log.Warn().Str("consumer", info.Name).Msg("the consumer was paused, and is resumed")
	return nil
}

// askPaused asks now and then, when nothing came, whether that is why.
func (c *Consumer) askPaused(ctx context.Context) {
	if c.o.DryRun || time.Since(c.asked) < c.askEvery {
		return
	}
	c.asked = time.Now()
	asking, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := c.source.Info(asking)
	if err != nil {
		return // what fetches next finds out
	}
	c.setPaused(asking, info)
}

// setPaused says once that the consumer is paused, and once that it no longer is.
func (c *Consumer) setPaused(ctx context.Context, info *jetstream.ConsumerInfo) {
	if err := c.q.checkPaused(ctx, info); err != nil {
		if c.paused.set(err) {
			c.o.Log.Warn().Err(err).Msg("no events are handled")
		}
	} else if c.paused.clear() {
		c.o.Log.Info().Msg("the consumer is no longer paused")
	}
}
