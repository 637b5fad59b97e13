package consumer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer/event"
)

// message is a message on its way through a batch.
type message struct {
	msg    jetstream.Msg
	meta   *jetstream.MsgMetadata
	event  event.Event
	result event.Result // without an outcome it is given back
	span   trace.Span   // nil where nobody traces, and of what is no event
}

var errNoOutcome = errors.New("the handler gave no outcome")

// runWorker handles batches. One is settled while the next one's transaction runs.
func (c *Consumer) runWorker(ctx context.Context, batches <-chan batch) {
	var settling sync.WaitGroup
	defer settling.Wait()
	for b := range batches {
		settle := c.decideBatch(ctx, b)
		settling.Wait()
		settling.Go(func() {
			settle()
			c.releaseBatch(b)
		})
	}
}

// decideBatch has a batch handled, and returns what settles it.
func (c *Consumer) decideBatch(ctx context.Context, b batch) (settle func()) {
	began := time.Now()
	if len(b.messages) > 0 {
		c.callHandler(ctx, b.messages)
	}
	took := time.Since(began)
	return func() {
		for _, part := range [][]*message{b.invalid, b.messages} {
			if len(part) > 0 {
				c.settleBatch(ctx, part)
			}
		}
		c.reportBatch(append(b.messages, b.invalid...), took)
	}
}

// parseMessages tells events from what is none.
func (c *Consumer) parseMessages(msgs []jetstream.Msg) (messages, invalid []*message) {
	messages = make([]*message, 0, len(msgs))
	for _, msg := range msgs {
		meta, err := msg.Metadata()
		if err != nil {
			c.o.Log.Error().Err(err).Str("subject", msg.Subject()).Msg("a message of no stream was fetched, which cannot be settled")
			continue
		}
		e, err := event.Parse(msg.Data())
		if err != nil {
			invalid = append(invalid, &message{msg: msg, meta: meta, result: event.Result{Outcome: event.Invalid, Err: err, Detail: err.Error()}})
			continue
		}
		messages = append(messages, &message{msg: msg, meta: meta, event: e})
	}
	return messages, invalid
}

// callHandler has the handler judge events, each file once, and gives every event of
// a file the same result.
func (c *Consumer) callHandler(ctx context.Context, messages []*message) {
	ctx = c.startSpans(ctx, messages)
	deliveries := make([]event.Delivery, 0, len(messages))
	place := make(map[string]int, len(messages)) // in deliveries, of what an event is about
	for _, m := range messages {
		if _, ok := place[m.event.Key()]; ok {
			continue
		}
		place[m.event.Key()] = len(deliveries)
		deliveries = append(deliveries, event.Delivery{Event: m.event, Deliveries: m.meta.NumDelivered, Span: m.spanContext()})
	}
	results, err := c.h.Handle(ctx, deliveries)
	if err == nil {
		c.recovered.Store(true)
	} else if ctx.Err() == nil && c.dbDown.set(err) {
		c.o.Log.Warn().Err(err).Msg("no file can be deleted, nothing is fetched until that is mended")
	}
	for _, m := range messages {
		if i := place[m.event.Key()]; i < len(results) && results[i].Outcome.IsKnown() {
			m.result = results[i]
			c.progress.noteFailure(m.result.Err)
		} else if err == nil {
			m.result = event.Result{Outcome: event.Failed, Err: errNoOutcome}
		}
	}
}

// reportBatch counts a batch, logs it and tells who wants to know. Outcomes are counted by
// files: what several events say of one is counted once, and the rest as repeated.
func (c *Consumer) reportBatch(messages []*message, took time.Duration) {
	endSpans(messages)
	one := BatchReport{Summary: Summary{Batches: 1, Duration: took.Seconds()}, Outcomes: map[Counted]int{}}
	var pending uint64
	counted := make(map[string]bool, len(messages))
	for _, m := range messages {
		pending = m.meta.NumPending
		about := m.event.Key()
		if m.meta.NumDelivered > 1 {
			one.Redelivered++
		}
		switch {
		case m.result.Outcome == "":
			continue
		case m.event.Subject != "" && counted[about]:
			one.Repeated++
		default:
			*one.counter(m.result.Outcome)++
			one.Outcomes[Counted{m.event.Type, m.result.Outcome}]++
			counted[about] = true
		}
		one.Events++
	}
	c.mu.Lock()
	c.sum.merge(one.Summary)
	done := uint64(c.sum.Events)
	c.mu.Unlock()
	if one.Busy+one.Failed < one.Events {
		c.progress.markProgress()
	}

	c.o.Log.Info().EmbedObject(one.Summary).Dur("took", took).Msg("batch")
	if c.o.Progress != nil {
		c.o.Progress(done, pending)
	}
	if c.o.Settled != nil {
		c.o.Settled(one)
	}
}
