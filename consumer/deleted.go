package consumer

import (
	"context"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

// deletedTypes are the types of what is told, and the subjects, by what the orphan events
// were about.
var deletedTypes = map[string]struct{ typ, kind string }{
	event.FileOrphaned:       {event.FileDeleted, "file"},
	event.CollectionOrphaned: {event.CollectionDeleted, "collection"},
	event.PointsOrphaned:     {event.PointsDeleted, "points"},
}

// publishDeleted tells others what was deleted, after the commit and before the ack: what
// could not be told, or was not before the process ended, comes again as an event about what
// is gone, and is told then. Others may be told twice, under the same id.
func (c *Consumer) publishDeleted(ctx context.Context, messages []*message) {
	if !c.q.opts.Deleted {
		return
	}
	told, err := c.findDeleted(ctx, messages)
	if err == nil {
		err = c.q.publishDeletedEvents(ctx, told)
	}
	if err == nil {
		return
	}
	for _, m := range messages {
		if m.mayHaveDeleted() {
			m.result = event.Result{Outcome: event.Failed, Err: err}
		}
	}
	c.o.Log.Warn().Err(err).Int("events", len(told)).Msg("what was deleted could not be told; its events come again")
}

// mayHaveDeleted says whether its event has deleted something, now or when it came before.
func (m *message) mayHaveDeleted() bool {
	return m.result.Outcome == event.Deleted || m.result.Outcome == event.Gone && m.meta.NumDelivered > 1
}

// findDeleted finds the events that have deleted something, one about each thing.
func (c *Consumer) findDeleted(ctx context.Context, messages []*message) (told []event.Event, err error) {
	seen := map[string]bool{}
	for _, m := range messages {
		if !m.mayHaveDeleted() || seen[m.event.Key()] {
			continue
		}
		deleted := m.result.Outcome == event.Deleted
		if !deleted && c.o.WasDeleted != nil {
			if deleted, err = c.o.WasDeleted(ctx, m.event); err != nil {
				return told, err
			}
		}
		if deleted {
			seen[m.event.Key()] = true
			told = append(told, m.event)
		}
	}
	return told, nil
}

// publishDeletedEvents stores an event for each.
func (q *Queue) publishDeletedEvents(ctx context.Context, about []event.Event) error {
	return q.withStreams(ctx, func() error {
		line := newPipeline(q.js, func(_ string, _ *jetstream.PubAck, err error) error { return storeError(err) })
		return line.sendAndAwait(ctx, q.deletedMessages(about))
	})
}

// deletedMessages makes messages whose ids are those of the orphan events: the same again
// where one is told again.
func (q *Queue) deletedMessages(about []event.Event) iter.Seq2[*nats.Msg, error] {
	return func(yield func(*nats.Msg, error) bool) {
		for _, e := range about {
			as := deletedTypes[e.Type]
			msg := nats.NewMsg(q.names.deletedSubject(as.kind))
			msg.Data = event.Event{ID: e.MsgID(), Source: "pruned", Type: as.typ, Subject: e.Subject, Time: time.Now(), Reason: e.Reason}.Encode()
			msg.Header.Set(jetstream.MsgIDHeader, e.MsgID())
			if !yield(msg, nil) {
				return
			}
		}
	}
}
