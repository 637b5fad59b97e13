package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
	"pruned/consumer/fault"
)

const (
	settleTimeout  = 15 * time.Second // for a batch
	barrierTimeout = 5 * time.Second  // for the server's answer to its acks
	failedFirst    = 5 * time.Second
	failedMax      = 48 * time.Second // a quarter of jitter comes on top
)

// settleBatch tells the queue what became of events. The stop of the program does
// not cut it short: what is committed is to be acked. If it fails, the events
// come again, which does no harm.
func (c *Consumer) settleBatch(ctx context.Context, messages []*message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if !c.o.DryRun {
		c.scheduleYoung(ctx, messages)
		c.storeDeadLetters(ctx, messages)
		c.publishDeleted(ctx, messages)
	}
	fault.Point("told")
	acks := make([]jetstream.Msg, 0, len(messages))
	var failed error
	for _, m := range messages {
		if c.isAcked(m.result.Outcome) {
			acks = append(acks, m.msg)
			continue
		}
		failed = errors.Join(failed, c.nakOrTerm(m))
	}
	failed = errors.Join(failed, c.q.ackAll(ctx, acks))
	fault.Point("acked")
	if failed == nil && !c.o.DryRun {
		failed = c.replyAll(messages)
	}
	if failed != nil {
		c.o.Log.Warn().Err(failed).Msg("not everything could be settled; it comes again")
	}
}

// isAcked holds for outcomes that end a message by an ack. A dry run acks all, to
// the consumer that is its own.
func (c *Consumer) isAcked(o event.Outcome) bool {
	switch o {
	case event.Deleted, event.Gone, event.Kept, event.Young:
		return true
	}
	return c.o.DryRun && o != ""
}

// ackAll acks messages, the last one with an answer. The server handles acks in
// their order, so that answer is about all of them.
func (q *Queue) ackAll(ctx context.Context, msgs []jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, barrierTimeout)
	defer cancel()
	if len(msgs) == 0 {
		return q.nc.FlushWithContext(ctx)
	}
	last := len(msgs) - 1
	for _, msg := range msgs[:last] {
		if err := msg.Ack(); err != nil {
			return fmt.Errorf("acking: %w", err)
		}
	}
	if err := msgs[last].DoubleAck(ctx); err != nil {
		return fmt.Errorf("acking: %w", err)
	}
	return nil
}

// nakOrTerm ends or delays one message that is not acked.
func (c *Consumer) nakOrTerm(m *message) error {
	r := m.result
	var err error
	switch r.Outcome {
	case event.Invalid, event.Poison:
		err = m.msg.TermWithReason(string(r.Outcome))
	case event.Busy:
		err = m.msg.NakWithDelay(retryDelay(r.RetryIn, time.Second, 3*time.Second))
	case event.Failed:
		least := failedRetry(m.meta.NumDelivered)
		err = m.msg.NakWithDelay(retryDelay(r.RetryIn, least, least+least/4))
	default:
		err = m.msg.Nak()
	}
	if err != nil {
		return fmt.Errorf("settling message %d as %q: %w", m.meta.Sequence.Stream, r.Outcome, err)
	}
	return nil
}

// failedRetry doubles with each delivery.
func failedRetry(deliveries uint64) time.Duration {
	return min(failedFirst<<min(deliveries-1, 4), failedMax)
}

// retryDelay is what the handler wants, or something between the two.
func retryDelay(wanted, least, most time.Duration) time.Duration {
	if wanted > 0 {
		return wanted
	}
	return least + rand.N(most-least)
}

// nakAll returns messages to the queue as if they had not been fetched.
func (c *Consumer) nakAll(msgs []jetstream.Msg) {
	var failed error
	for _, msg := range msgs {
		failed = errors.Join(failed, msg.Nak())
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if failed = errors.Join(failed, c.q.nc.FlushWithContext(ctx)); failed != nil {
		c.o.Log.Warn().Err(failed).Msg("a batch could not be given back; it comes again when its lease ends")
	}
}

// scheduleYoung schedules young events for when they are useful, before they are
// acked. Without schedules they are acked all the same: a sweep finds their
// files.
func (c *Consumer) scheduleYoung(ctx context.Context, messages []*message) {
	var young []*message
	var later []ScheduledEvent
	seen := map[string]bool{}
	now := time.Now()
	for _, m := range messages {
		if m.result.Outcome != event.Young {
			continue
		}
		young = append(young, m)
		if !seen[m.event.Key()] {
			seen[m.event.Key()] = true
			later = append(later, ScheduledEvent{Event: m.event, At: now.Add(m.result.RetryIn), Span: m.spanContext()})
		}
	}
	if len(later) == 0 || !c.q.Schedules() {
		return
	}
	if err := c.q.Schedule(ctx, later); err != nil {
		for _, m := range young {
			m.result = event.Result{Outcome: event.Failed, Err: err}
		}
		c.o.Log.Warn().Err(err).Int("events", len(young)).Msg("young events could not be scheduled; they come again")
	}
}

// storeDeadLetters stores the dead letters of events that are about to be terminated.
// One that cannot be stored keeps its message.
func (c *Consumer) storeDeadLetters(ctx context.Context, messages []*message) {
	for _, m := range messages {
		if m.result.Outcome != event.Invalid && m.result.Outcome != event.Poison {
			continue
		}
		letter := m.deadLetter()
		c.o.Log.Warn().Str("name", letter.Name).Str("file", letter.FileID).Str("kind", letter.Kind).
			Str("error", letter.Error).Msg("dead letter")
		if err := c.q.StoreDeadLetter(ctx, letter); err != nil {
			m.result = event.Result{Outcome: event.Failed, Err: err}
			c.o.Log.Warn().Err(err).Msg("a dead letter could not be stored; its event comes again")
		}
	}
}

// replyAll tells publishers that asked.
func (c *Consumer) replyAll(messages []*message) error {
	var failed error
	for _, m := range messages {
		if o := m.result.Outcome; o == "" || !o.IsFinal() {
			continue
		}
		s := Settlement{FileID: m.event.Subject, Outcome: m.result.Outcome, Detail: m.result.Detail}
		if err := c.q.sendReply(m.msg, s); err != nil {
			failed = errors.Join(failed, fmt.Errorf("telling the outcome of file %s: %w", s.FileID, err))
		}
	}
	return failed
}
