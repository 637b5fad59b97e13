package consumer

import "context"

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
