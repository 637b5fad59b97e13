package main

import (
	"context"
	"time"

	"pruned/repo"
)

// indexRetry is how long a daemon waits before it tries to read the tables again.
const indexRetry = 10 * time.Second

// indexPatiently is index for a daemon: an application that writes all the time to a
// database without a write-ahead log is no reason to end.
func (c *command) indexPatiently(ctx context.Context, p *parts, retry time.Duration) error {
	for told := false; ; {
		err := c.index(ctx, p)
		if err == nil || repo.KindOf(err) != repo.Passing {
			return err
		}
		if !told && ctx.Err() == nil {
			told = true
			p.log.Warn().Err(err).Msg("the tables cannot be read yet: nothing is deleted until they were; it is tried again")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
	}
}
