package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pruned/consumer/loop"
)

// ErrStuck: a drain ended because nothing went on any more.
var ErrStuck = errors.New("nothing goes on any more")

// drainPatience is how long a drain waits for anything to go on. The longest that a
// claim is put off after a failure is a minute.
const drainPatience = 90 * time.Second

// progress is when a drain last got on. What is being done may take its time; what
// only fails, or is waited for, may not go on for ever.
type progress struct {
	mu   sync.Mutex
	last time.Time
	busy int   // calls under way that end by themselves
	why  error // of the last failure; nil after anything went well

	failures int // of such calls since anything went well
}

func (p *progress) made() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.why, p.failures = time.Now(), nil, 0
}

// during runs what may take long.
func (p *progress) during(fn func() error) error {
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
	p.note(err)
	return err
}

// note keeps why the drain does not get on.
func (p *progress) note(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if why != nil {
		p.why = why
	}
}

func (p *progress) working() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy > 0
}

// failedAgain calls in a row make the next one no progress: one that takes minutes to
// fail, for a store that does not answer, is under way nearly all the time.
const failedAgain = 2

// stuck is how long nothing has gone on, and why.
func (p *progress) stuck() (since time.Duration, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy > 0 && p.failures < failedAgain {
		return 0, nil
	}
	return time.Since(p.last), p.why
}

// whileMoving is a context for a drain, which ends when nothing has gone on for too
// long: a store that fails for good, a row that stays locked, a queue that is away.
func (c *Consumer) whileMoving(ctx context.Context) (context.Context, context.CancelFunc) {
	moving, cancel := context.WithCancelCause(ctx)
	if !c.o.Drain {
		return moving, func() { cancel(nil) }
	}
	c.progress.made()
	go func() {
		for loop.Sleep(moving, c.patience/10) {
			if since, why := c.progress.stuck(); since > c.waits() && c.inHand.Load() == 0 {
				cancel(c.stuck(since, why))
			}
		}
	}()
	return moving, func() { cancel(nil) }
}

// waits is how long a drain waits for anything to go on. While nothing can be deleted
// no claim is put off either, and somebody has to mend it: a third is enough.
func (c *Consumer) waits() time.Duration {
	if c.broken.err() != nil {
		return c.patience / 3
	}
	return c.patience
}

// stuck says why a drain ends before everything is done.
func (c *Consumer) stuck(since time.Duration, why error) error {
	if why = errors.Join(c.State(), why); why == nil {
		return fmt.Errorf("%w for %s: what is left is busy, or fails, or waits to come again", ErrStuck, since.Round(time.Second))
	}
	return fmt.Errorf("%w for %s: %w", ErrStuck, since.Round(time.Second), why)
}
