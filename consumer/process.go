package consumer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

// claim is a message on its way through a batch.
type claim struct {
	msg    jetstream.Msg
	meta   *jetstream.MsgMetadata
	event  event.Event
	result event.Result // without an outcome it is given back
}

var errNoOutcome = errors.New("the handler gave no outcome")

// work handles batches. One is settled while the next one's transaction runs.
func (c *Consumer) work(ctx context.Context, batches <-chan batch) {
	var settling sync.WaitGroup
	defer settling.Wait()
	for b := range batches {
		settle := c.decide(ctx, b)
		settling.Wait()
		settling.Go(func() {
			settle()
			c.release()
		})
	}
}

// decide has a batch handled, and returns what settles it.
func (c *Consumer) decide(ctx context.Context, b batch) (settle func()) {
	began := time.Now()
	if len(b.claims) > 0 {
		c.judge(ctx, b.claims, b.lease)
	}
	took := time.Since(began)
	return func() {
		for _, part := range [][]*claim{b.invalid, b.claims} {
			if len(part) > 0 {
				c.settle(ctx, part)
			}
		}
		c.report(append(b.claims, b.invalid...), took)
	}
}

// open tells events from what is none.
func (c *Consumer) open(msgs []jetstream.Msg) (claims, invalid []*claim) {
	for _, msg := range msgs {
		meta, err := msg.Metadata()
		if err != nil {
			c.o.Log.Error().Err(err).Str("subject", msg.Subject()).Msg("a message of no stream was fetched, which cannot be settled")
			continue
		}
		e, err := event.ParseEvent(msg.Data())
		if err != nil {
			invalid = append(invalid, &claim{msg: msg, meta: meta, result: event.Result{Outcome: event.Invalid, Err: err, Detail: err.Error()}})
			continue
		}
		claims = append(claims, &claim{msg: msg, meta: meta, event: e})
	}
	return claims, invalid
}

// judge has the handler judge claims, each file once, and gives every claim of
// a file the same result.
func (c *Consumer) judge(ctx context.Context, claims []*claim, lease time.Time) {
	var deliveries []event.Delivery
	place := map[string]int{} // of a file id in deliveries
	for _, cl := range claims {
		if _, ok := place[cl.event.Subject]; ok {
			continue
		}
		place[cl.event.Subject] = len(deliveries)
		deliveries = append(deliveries, event.Delivery{Event: cl.event, Deliveries: cl.meta.NumDelivered})
	}
	extend := func() error { return extendAll(claims) }
	results, err := c.h.Handle(ctx, deliveries, lease, extend)
	if err == nil {
		c.calm.Store(true)
	} else if ctx.Err() == nil && c.broken.begin(err) {
		c.o.Log.Warn().Err(err).Msg("no file can be deleted, nothing is fetched until that is mended")
	}
	for _, cl := range claims {
		if i := place[cl.event.Subject]; i < len(results) && results[i].Outcome.Known() {
			cl.result = results[i]
			c.progress.note(cl.result.Err)
		} else if err == nil {
			cl.result = event.Result{Outcome: event.Failed, Err: errNoOutcome}
		}
	}
}

// extendAll asks for a whole lease more for each message.
func extendAll(claims []*claim) error {
	for _, cl := range claims {
		if err := cl.msg.InProgress(); err != nil {
			return err
		}
	}
	return nil
}

// report counts a batch, logs it and tells who wants to know. Outcomes are counted by
// files: what several events say of one is counted once, and the rest as repeated.
func (c *Consumer) report(claims []*claim, took time.Duration) {
	one := Summary{Batches: 1, Duration: took.Seconds()}
	var pending uint64
	counted := map[string]bool{}
	for _, cl := range claims {
		pending = cl.meta.NumPending
		file := cl.event.Subject
		switch {
		case cl.result.Outcome == "":
			continue
		case file != "" && counted[file]:
			one.Repeated++
		default:
			*one.count(cl.result.Outcome)++
			counted[file] = true
		}
		one.Events++
	}
	c.mu.Lock()
	c.sum.add(one)
	done := uint64(c.sum.Events)
	c.mu.Unlock()
	if one.Busy+one.Failed < one.Events {
		c.progress.made()
	}

	c.o.Log.Info().EmbedObject(one).Dur("took", took).Msg("batch")
	if c.o.Observe != nil {
		c.o.Observe(one)
	}
	if c.o.Progress != nil {
		c.o.Progress(done, pending)
	}
}
