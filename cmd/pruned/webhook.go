package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/webhook"
)

// relay is the queue of the webhook, which listens also while no queue is open: it
// waits for one as for any that restarts.
type relay struct {
	queue atomic.Pointer[consumer.Queue]
}

var errNoQueue = errors.New("no queue is open just now")

// PublishHint stores an event of the application.
func (r *relay) PublishHint(ctx context.Context, id, event string, payload []byte) error {
	q := r.queue.Load()
	if q == nil {
		return errNoQueue
	}
	return q.PublishHint(ctx, id, event, payload)
}

// PublishEvent stores an event.
func (r *relay) PublishEvent(ctx context.Context, e event.Event) error {
	q := r.queue.Load()
	if q == nil {
		return errNoQueue
	}
	return q.PublishEvent(ctx, e)
}

// newReceiver makes the handler of the webhook, or nil without PRUNED_WEBHOOK_TOKEN.
func newReceiver(ctx *command, queue webhook.Queue, log zerolog.Logger) (http.Handler, error) {
	if ctx.cli.HTTP.WebhookToken == "" {
		return nil, nil
	}
	return webhook.New(webhook.Options{Token: string(ctx.cli.HTTP.WebhookToken), Queue: queue, Log: log})
}
