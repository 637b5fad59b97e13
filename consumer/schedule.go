package consumer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer/event"
	"pruned/consumer/tracing"
)

// ErrNoSchedules: the queue's server cannot deliver later (before 2.12).
var ErrNoSchedules = errors.New("the queue's server does not schedule messages")

// ScheduledEvent is an event that becomes useful at a time.
type ScheduledEvent struct {
	event.Event
	At   time.Time
	Span trace.SpanContext // that had it come later
}

// Schedule has events delivered at their times, a minute ahead at the earliest. A
// file has one schedule at most: a new one replaces the one before. A time
// beyond half the retention is brought forward to it, since a stored message
// does not outlive the retention; such an event is found too young once more and
// scheduled again.
func (q *Queue) Schedule(ctx context.Context, events []ScheduledEvent) error {
	if !q.schedules {
		return ErrNoSchedules
	}
	return q.withStreams(ctx, func() error {
		line := newPipeline(q.js, func(subject string, _ *jetstream.PubAck, err error) error {
			if err != nil {
				return fmt.Errorf("scheduling on %s: %w", subject, storeError(err))
			}
			return nil
		})
		return line.sendAndAwait(ctx, q.schedulesOf(events))
	})
}

func (q *Queue) schedulesOf(events []ScheduledEvent) iter.Seq2[*nats.Msg, error] {
	return func(yield func(*nats.Msg, error) bool) {
		now := time.Now()
		for _, c := range events {
			if err := c.Validate(); err != nil {
				yield(nil, fmt.Errorf("an event to schedule: %w", err))
				return
			}
			msg := nats.NewMsg(q.names.scheduleSubject(c.Key()))
			msg.Data = c.Encode()
			tracing.Inject(c.Span, msg.Header)
			msg.Header.Set(jetstream.ScheduleHeader, "@at "+q.fireAt(now, c.At).Format(time.RFC3339))
			msg.Header.Set(jetstream.ScheduleTargetHeader, q.names.dueSubject())
			if !yield(msg, nil) {
				return
			}
		}
	}
}

// fireAt is when a schedule fires that should at a time. The server knows whole
// seconds only; one too early would be too young again.
func (q *Queue) fireAt(now, at time.Time) time.Time {
	if soonest := now.Add(q.soonest); at.Before(soonest) {
		at = soonest
	}
	if latest := now.Add(q.opts.Retention / 2); q.opts.Retention > 0 && at.After(latest) {
		at = latest
	}
	if whole := at.Truncate(time.Second); !whole.Equal(at) {
		at = whole.Add(time.Second)
	}
	return at.UTC()
}
