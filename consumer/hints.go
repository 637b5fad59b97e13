package consumer

import (
	"context"
	"fmt"
	"net/url"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

// PublishHint publishes an event of the application as it came. It returns once the
// stream has stored it, or had it already.
func (q *Queue) PublishHint(ctx context.Context, id, event string, payload []byte) error {
	return q.publishOnce(ctx, id, q.names.hintSubject(event), payload)
}

// PublishEvent publishes one claim. It returns once the stream has stored it, or had
// one of this id already.
func (q *Queue) PublishEvent(ctx context.Context, e event.Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("a claim to publish: %w", err)
	}
	return q.publishOnce(ctx, e.ID, q.names.eventSubject(e.Source), e.Encode())
}

// publishOnce publishes one message of the application's and waits for the answer. The
// application's ids are unique by themselves, so they alone tell duplicates.
func (q *Queue) publishOnce(ctx context.Context, id, subject string, payload []byte) error {
	// A client that is reconnecting would buffer it, and answer too late.
	if !q.nc.IsConnected() {
		return fmt.Errorf("publishing on %s: %w", subject, nats.ErrDisconnected)
	}
	msg := nats.NewMsg(subject)
	msg.Data = payload
	msg.Header.Set(jetstream.MsgIDHeader, url.QueryEscape(id))
	return q.withStreams(ctx, func() error {
		if _, err := q.js.PublishMsg(ctx, msg); err != nil {
			return fmt.Errorf("publishing on %s: %w", subject, storeError(err))
		}
		return nil
	})
}
