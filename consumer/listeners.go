package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/loop"
)

// Between two requests of a daemon there is an instant in which none waits.
const (
	listenerLooks = 5
	listenerPause = 200 * time.Millisecond
)

// IsConsumed says whether some process waits for claims or hints just now.
func (q *Queue) IsConsumed(ctx context.Context) (bool, error) {
	for look := range listenerLooks {
		if look > 0 && !loop.Sleep(ctx, listenerPause) {
			return false, ctx.Err()
		}
		for name, stream := range map[string]string{durableName: q.names.stream, hintsName: q.names.hintStream()} {
			waiting, err := q.isWaiting(ctx, stream, name)
			if err != nil || waiting {
				return waiting, err
			}
		}
	}
	return false, nil
}

func (q *Queue) isWaiting(ctx context.Context, stream, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	c, err := q.js.Consumer(ctx, stream, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking who consumes stream %s: %w", stream, err)
	}
	return c.CachedInfo().NumWaiting > 0, nil
}
