package webhook

import (
	"context"
	"errors"
	"time"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/loop"
)

// Queue is where events go. Its methods return nil only once the queue holds the
// message for good; of one id it holds one.
type Queue interface {
	// PublishHint stores an event of the application as it came.
	PublishHint(ctx context.Context, id, event string, payload []byte) error
	// PublishEvent stores an event.
	PublishEvent(ctx context.Context, e event.Event) error
}

// Open WebUI never sends an event again, so a queue that only restarts, or
// changes its leader, is waited for.
const (
	patience = 5 * time.Second
	attempt  = 2 * time.Second // for an answer of the queue's
	pause    = 200 * time.Millisecond
)

// store returns once the queue holds the event. What came whole is stored even
// if the sender is gone by now. Trying again is safe: the id tells duplicates.
func (h *Handler) store(ctx context.Context, e notification) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for {
		err := h.send(ctx, e)
		if err == nil || errors.Is(err, consumer.ErrFull) {
			return err
		}
		if !loop.Sleep(ctx, pause) {
			return err
		}
	}
}

func (h *Handler) send(ctx context.Context, e notification) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	if e.file != "" {
		return h.queue.PublishEvent(ctx, e.orphanEvent())
	}
	return h.queue.PublishHint(ctx, e.id, e.name, e.hint())
}
