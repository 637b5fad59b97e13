package vectors

import (
	"context"
	"time"
)

// Wait waits, unless the context ends: its error says so.
func Wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
