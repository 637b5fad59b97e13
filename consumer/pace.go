package consumer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"
)

// pausedBeat is how often a loop that is paused says that it does not hang.
const pausedBeat = 5 * time.Second

// pausedError is why no batch may begin, or nil. A dry run deletes nothing.
func (c *Consumer) pausedError() error {
	if c.o.DryRun {
		return nil
	}
	control, _ := c.o.Control.Current()
	return control.WhyPaused()
}

// awaitResumed blocks while the work is paused. A drain ends by that: whoever waits for it
// would wait for a person.
func (c *Consumer) awaitResumed(ctx context.Context) error {
	for ctx.Err() == nil {
		_, changed := c.o.Control.Current()
		err := c.pausedError()
		if err == nil || c.o.Drain {
			return err
		}
		if errors.Is(c.queueDown.err(), errNotStarted) {
			c.queueDown.clear() // the consumer is there; nothing else will say so
		}
		c.heartbeat.Beat()
		select {
		case <-changed:
		case <-ctx.Done():
		case <-time.After(pausedBeat):
		}
	}
	return nil
}

// rateWanted is what people said last, or else what the settings say.
func (c *Consumer) rateWanted() float64 {
	if control, _ := c.o.Control.Current(); control.Rate != nil {
		return control.Rate.PerSecond
	}
	return c.o.Rate
}

// applyRate makes the limiter of the rate that is wanted now.
func (c *Consumer) applyRate() {
	wanted := c.rateWanted()
	if wanted == c.rate {
		return
	}
	c.rate, c.limit = wanted, nil
	if wanted > 0 {
		burst := max(1, int(wanted))
		c.limit = rate.NewLimiter(rate.Limit(wanted), burst)
		// It begins empty: each batch is paid for after it was handed over.
		c.limit.AllowN(time.Now(), burst)
	}
}

// throttle waits until the rate allows another batch, or is another one.
func (c *Consumer) throttle(ctx context.Context, n int) {
	if c.limit == nil {
		return
	}
	// Not WaitN: it does not wait at all for what comes after ctx ends.
	until := time.Now().Add(c.limit.ReserveN(time.Now(), n).Delay())
	_ = c.progress.track(func() error {
		for ctx.Err() == nil && c.rateWanted() == c.rate && time.Now().Before(until) {
			_, changed := c.o.Control.Current()
			select {
			case <-changed:
			case <-ctx.Done():
			case <-time.After(time.Until(until)):
			}
		}
		return nil
	})
}
