package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pruned/consumer/loop"
)

// isDrained says whether nothing is left to do: nothing in a worker's hands,
// nothing pending, unacked or due. It is asked after a fetch that brought
// nothing.
func (c *Consumer) isDrained(ctx context.Context) bool {
	if !c.awaitWorkers(ctx) {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := c.source.Info(asking)
	if err != nil {
		c.o.Log.Debug().Err(err).Msg("the drain could not ask what is left")
		c.progress.noteFailure(err)
		return false
	}
	c.setPaused(asking, info)
	if left := backlogOf(info); left.Pending+left.Unacked > 0 {
		return false
	}
	if c.o.DryRun || c.o.Due == nil {
		return true
	}
	var due bool
	err = c.progress.track(func() (err error) { due, err = c.o.Due(ctx); return err })
	if err != nil {
		c.o.Log.Warn().Err(err).Msg("the drain could not ask what is due")
		return false
	}
	c.progress.markProgress()
	return !due
}

// awaitWorkers returns true once no batch is in a worker's hands.
func (c *Consumer) awaitWorkers(ctx context.Context) bool {
	for c.inHand.Load() > 0 {
		select {
		case <-c.settled:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// isDryRunDone says whether a dry run has seen what was there when it began;
// whatever came later is the next run's.
func (c *Consumer) isDryRunDone() bool {
	if !c.o.DryRun {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(c.sum.Events) >= c.target
}

// ErrStuck: a drain ended because nothing went on any more.
var ErrStuck = errors.New("nothing goes on any more")

// defaultDrainTimeout is how long a drain waits for anything to go on. The longest that a
// event is put off after a failure is a minute.
const defaultDrainTimeout = 90 * time.Second

// progress is when a drain last got on. What is being done may take its time; what
// only fails, or is waited for, may not go on for ever.
type progress struct {
	mu          sync.Mutex
	last        time.Time
	busy        int   // calls under way that end by themselves
	lastFailure error // of the last failure; nil after anything went well

	failures int // of such calls since anything went well
}

func (p *progress) markProgress() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.lastFailure, p.failures = time.Now(), nil, 0
}

// track runs what may take long.
func (p *progress) track(fn func() error) error {
	p.mu.Lock()
	p.busy++
	p.mu.Unlock()
	err := fn()
	p.mu.Lock()
	p.busy--
	if err != nil {
		p.failures++
	}
	p.mu.Unlock()
	p.noteFailure(err)
	return err
}

// noteFailure keeps why the drain does not get on.
func (p *progress) noteFailure(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if why != nil {
		p.lastFailure = why
	}
}

func (p *progress) isBusy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy > 0
}

// failedAgain calls in a row make the next one no progress: one that takes minutes to
// fail, for a store that does not answer, is under way nearly all the time.
const failedAgain = 2

// stalledFor is how long nothing has gone on, and why.
func (p *progress) stalledFor() (since time.Duration, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy > 0 && p.failures < failedAgain {
		return 0, nil
	}
	return time.Since(p.last), p.lastFailure
}

// withStallDetection is a context for a drain, which ends when nothing has gone on for too
// long: a store that fails for good, a row that stays locked, a queue that is away.
func (c *Consumer) withStallDetection(ctx context.Context) (context.Context, context.CancelFunc) {
	moving, cancel := context.WithCancelCause(ctx)
	if !c.o.Drain {
		return moving, func() { cancel(nil) }
	}
	c.progress.markProgress()
	go func() {
		for loop.Sleep(moving, c.drainTimeout/10) {
			if since, why := c.progress.stalledFor(); since > c.stallTimeout() && c.inHand.Load() == 0 {
				cancel(c.stuckError(since, why))
			}
		}
	}()
	return moving, func() { cancel(nil) }
}

// stallTimeout is how long a drain waits for anything to go on. While nothing can be deleted
// no event is put off either, and somebody has to mend it: a third is enough.
func (c *Consumer) stallTimeout() time.Duration {
	if c.dbDown.err() != nil {
		return c.drainTimeout / 3
	}
	return c.drainTimeout
}

// stuckError says why a drain ends before everything is done.
func (c *Consumer) stuckError(since time.Duration, why error) error {
	if why = errors.Join(c.State(), why); why == nil {
		return fmt.Errorf("%w for %s: what is left is busy, or fails, or waits to come again", ErrStuck, since.Round(time.Second))
	}
	return fmt.Errorf("%w for %s: %w", ErrStuck, since.Round(time.Second), why)
}
