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

// ErrFull: the stream stores no more.
var ErrFull = errors.New("the stream stores no more: raise PRUNED_MAX_BYTES, or wait until what it holds is settled or expires")

const (
	window     = 512              // messages in flight without an answer
	ackTimeout = 20 * time.Second // for an answer
	retries    = 20               // while a stream has no leader
	retryWait  = 250 * time.Millisecond
)

// Publish publishes events in their order, and counts what was stored. It holds a bounded
// number of them and checks every answer of the server. After an error nothing more is sent;
// what was stored by then stays. settled, unless it is nil, is told each event's final outcome,
// one call at a time; Publish then returns when all are settled. The same event twice is two:
// a stream's memory of their ids would be most of what the process takes, and the second finds
// nothing to do.
func (q *Queue) Publish(ctx context.Context, events iter.Seq2[event.Event, error], settled func(Settlement)) (stored int, err error) {
	ctx, span := q.tracer().Start(ctx, "publish", trace.WithSpanKind(trace.SpanKindProducer))
	defer func() {
		span.SetAttributes(tracing.Stored.Int(stored))
		span.End()
	}()
	line := newPipeline(q.js, func(subject string, _ *jetstream.PubAck, err error) error {
		if err != nil {
			return fmt.Errorf("publishing on %s: %w", subject, storeError(err))
		}
		stored++
		return nil
	})
	if settled == nil {
		err := line.sendAndAwait(ctx, q.messagesOf(ctx, events, nil))
		return stored, err
	}
	w, err := newOutcomeWaiter(q.nc, settled)
	if err != nil {
		return stored, err
	}
	err = line.sendAndAwait(ctx, q.messagesOf(ctx, events, w))
	if err == nil {
		err = w.awaitAll(ctx)
	}
	return stored, errors.Join(err, w.unsubscribe())
}

// messagesOf makes messages of events, and tells w, if there is one, to expect
// their outcomes. They carry the span of ctx.
func (q *Queue) messagesOf(ctx context.Context, events iter.Seq2[event.Event, error], w *outcomeWaiter) iter.Seq2[*nats.Msg, error] {
	return func(yield func(*nats.Msg, error) bool) {
		for e, err := range events {
			if err == nil {
				err = e.Validate()
			}
			if err != nil {
				yield(nil, fmt.Errorf("an event to publish: %w", err))
				return
			}
			msg := nats.NewMsg(q.names.eventSubject(e.Source))
			msg.Data = e.Encode()
			tracing.Inject(trace.SpanContextFromContext(ctx), msg.Header)
			if w != nil {
				msg.Header.Set(replyHeader, w.addInbox())
			}
			if !yield(msg, nil) {
				return
			}
		}
	}
}

// storeError translates the server's refusal to store.
func storeError(err error) error {
	if hasCode(err, codeNotStored) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}

// pipeline publishes without waiting for each answer. It belongs to one
// goroutine.
type pipeline struct {
	js       jetstream.JetStream
	inFlight chan jetstream.PubAckFuture // in the order they were sent
	answered func(subject string, ack *jetstream.PubAck, err error) error
}

func newPipeline(js jetstream.JetStream, answered func(string, *jetstream.PubAck, error) error) *pipeline {
	return &pipeline{js: js, inFlight: make(chan jetstream.PubAckFuture, window), answered: answered}
}

// sendAndAwait sends messages and returns the first error, when nothing is in flight any
// more.
func (p *pipeline) sendAndAwait(ctx context.Context, msgs iter.Seq2[*nats.Msg, error]) error {
	err := p.sendAll(ctx, msgs)
	for len(p.inFlight) > 0 {
		if late := p.awaitOldest(ctx); err == nil {
			err = late
		}
	}
	return err
}

func (p *pipeline) sendAll(ctx context.Context, msgs iter.Seq2[*nats.Msg, error]) error {
	for msg, err := range msgs {
		if err != nil {
			return err
		}
		if len(p.inFlight) == cap(p.inFlight) {
			if err := p.awaitOldest(ctx); err != nil {
				return err
			}
		}
		if err := p.sendOne(msg); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipeline) sendOne(msg *nats.Msg) error {
	future, err := p.js.PublishMsgAsync(msg, jetstream.WithRetryAttempts(retries), jetstream.WithRetryWait(retryWait))
	if err != nil {
		return fmt.Errorf("publishing on %s: %w", msg.Subject, err)
	}
	p.inFlight <- future
	return nil
}

// awaitOldest waits for the oldest answer.
func (p *pipeline) awaitOldest(ctx context.Context) error {
	future := <-p.inFlight
	subject := future.Msg().Subject
	select {
	case ack := <-future.Ok():
		return p.answered(subject, ack, nil)
	case err := <-future.Err():
		return p.answered(subject, nil, err)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the answer about %s: %w", subject, context.Cause(ctx))
	}
}
