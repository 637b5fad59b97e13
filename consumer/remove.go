package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Remove deletes the streams with everything in them.
func (q *Queue) Remove(ctx context.Context) error {
	for _, name := range []string{q.names.stream, q.names.scheduleStream(), q.names.hintStream(), q.names.deadLetterStream()} {
		if err := q.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("deleting stream %s: %w", name, err)
		}
	}
	return nil
}
