package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Probe says whether every stream stores. It has each store a message, on a subject
// that nobody reads, and removes that again: a server may answer all else while it
// stores nothing any more, as after one write that met a full disk. A stream that is
// missing is none of it: what stores next makes it.
func (q *Queue) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if !q.nc.IsConnected() {
		return fmt.Errorf("asking the queue to store: %w", nats.ErrDisconnected)
	}
	for _, cfg := range q.wantedStreams() {
		if err := q.probeStream(ctx, cfg.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("stream %s stores nothing: %w", cfg.Name, err)
		}
	}
	return nil
}

func (q *Queue) probeStream(ctx context.Context, stream string) error {
	s, err := q.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	ack, err := q.js.PublishMsg(ctx, nats.NewMsg(q.names.probeSubject(stream)+uuid.NewString()), jetstream.WithExpectStream(stream))
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return nil // one of an older release, which has no subject for it yet
	}
	if err != nil {
		return storeError(err)
	}
	return s.DeleteMsg(ctx, ack.Sequence)
}
