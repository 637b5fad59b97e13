package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/loop"
)

// linger is for what is known to wait, and for what comes with a first message.
const linger = 50 * time.Millisecond

// chooseLinger returns how long the rest of a batch is waited for. A queue in which more is
// known to wait has it at once.
func (c *Consumer) chooseLinger() time.Duration {
	if c.o.Drain || c.behind {
		return linger
	}
	return c.h.Linger()
}

// batch is messages that were fetched together.
type batch struct {
	msgs    []jetstream.Msg
	fetched time.Time // at the earliest

	messages, invalid []*message // what they hold
	release           func()     // once they are settled or given back
}

// fetchNext fetches one batch, which may be empty. When the last one was empty it
// waits for a first message, with heartbeats, because a Fetch ends without an
// error when the server has gone silent.
func (c *Consumer) fetchNext(ctx context.Context, eager bool) (batch, error) {
	if !c.q.nc.IsConnected() {
		return batch{}, nats.ErrDisconnected
	}
	n := c.fetchSize()
	if eager {
		return c.fetchBatch(time.Now(), n, jetstream.FetchMaxWait(c.chooseLinger()))
	}
	first, err := fetchMessages(c.source, 1, jetstream.FetchMaxWait(c.o.Idle), jetstream.FetchHeartbeat(c.o.Idle/4))
	if len(first) == 0 {
		return batch{}, err
	}
	now := time.Now()
	if n == 1 || ctx.Err() != nil {
		return batch{msgs: first, fetched: now}, nil
	}
	b, err := c.fetchBatch(now, n-1, jetstream.FetchMaxWait(c.chooseLinger()))
	if err != nil {
		// It comes up again, with the next fetch.
		b.fetched = now
	}
	b.msgs = append(first, b.msgs...)
	return b, nil
}

// fetchBatch fetches up to n messages, at a time not before since. What a busy server
// does not send in time it is asked for again, where most of the rest has come.
func (c *Consumer) fetchBatch(since time.Time, n int, opts ...jetstream.FetchOpt) (batch, error) {
	var msgs []jetstream.Msg
	for {
		asked := n - len(msgs)
		came, err := fetchMessages(c.source, asked, opts...)
		if msgs = append(msgs, came...); len(msgs) == 0 {
			return batch{}, err
		}
		if err != nil || len(msgs) == n || 2*len(came) < asked {
			return batch{msgs: msgs, fetched: since}, nil // the error comes up again, with the next fetch
		}
	}
}

// isBehind tells from a batch whether more waited in the queue when it was fetched.
func isBehind(b batch) bool {
	meta, err := b.msgs[len(b.msgs)-1].Metadata()
	return err == nil && meta.NumPending > 0
}

// fetchSize is how many messages to ask for. A second's worth of the rate keeps it
// smooth; more than half of MaxAckPending would starve the other workers.
func (c *Consumer) fetchSize() int {
	n := min(c.h.Size(), max(c.o.MaxAckPending/2, 1))
	if c.limit != nil {
		n = min(n, c.limit.Burst())
	}
	return max(n, 1)
}

// startConsumer makes the consumer.
func (c *Consumer) startConsumer(ctx context.Context) error {
	if c.o.DryRun {
		return c.createDryRun(ctx)
	}
	if err := c.createConsumer(ctx); err != nil {
		return err
	}
	if !c.q.opts.Embedded {
		return nil
	}
	// Nobody else can hold a lease of an embedded queue: those there are belong
	// to a process that has died.
	if _, err := c.q.js.ResetConsumer(ctx, c.q.names.stream, durableName); err != nil {
		return fmt.Errorf("resetting consumer %s of stream %s to its ack floor: %w", durableName, c.q.names.stream, err)
	}
	return nil
}

func (c *Consumer) createConsumer(ctx context.Context) error {
	source, err := askAgain(ctx, func(ctx context.Context) (jetstream.Consumer, error) {
		return c.q.js.CreateOrUpdateConsumer(ctx, c.q.names.stream, jetstream.ConsumerConfig{
			Durable:       durableName,
			FilterSubject: c.q.names.eventSubjects(),
			DeliverPolicy: jetstream.DeliverAllPolicy,
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       c.o.AckWait,
			MaxDeliver:    -1,
			MaxAckPending: c.o.MaxAckPending,
		})
	})
	if err != nil {
		return fmt.Errorf("making consumer %s of stream %s: %w", durableName, c.q.names.stream, err)
	}
	c.source = source
	c.setPaused(ctx, source.CachedInfo())
	return nil
}

// stopConsumer ends what Run began.
func (c *Consumer) stopConsumer(ctx context.Context) {
	c.queueDown.set(errEnded)
	if !c.o.DryRun {
		return
	}
	// One that stays behind ends by itself.
	if err := c.q.js.DeleteConsumer(context.WithoutCancel(ctx), c.q.names.stream, c.source.CachedInfo().Name); err != nil {
		c.o.Log.Debug().Err(err).Msg("the consumer of the dry run could not be deleted")
	}
}

// markUp notes that the queue answers.
func (c *Consumer) markUp() {
	c.reconnectPauses.Reset()
	if was := c.queueDown.err(); c.queueDown.clear() && !errors.Is(was, errNotStarted) {
		c.o.Log.Info().Msg("the queue answers again, consuming goes on")
	}
}

// reconnect returns when there is a consumer to fetch from again, or when ctx ends.
func (c *Consumer) reconnect(ctx context.Context, cause error) error {
	if c.queueDown.set(cause) {
		c.o.Log.Warn().Err(cause).Msg("no events can be fetched from the queue")
	}
	for loop.Sleep(ctx, c.reconnectPauses.NextBackOff()) {
		c.heartbeat.Beat()
		if err := c.awaitConnection(ctx); err != nil {
			return err
		}
		err := c.findConsumer(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		c.queueDown.set(err)
	}
	return nil
}

// awaitConnection may wait for as long as the queue is away.
func (c *Consumer) awaitConnection(ctx context.Context) error {
	if c.o.Drain {
		return c.q.awaitConnection(ctx)
	}
	return c.progress.track(func() error { return c.q.awaitConnection(ctx) })
}

// awaitConnection returns when the connection stands or ctx ends. Only a
// connection that was closed for good is an error.
func (q *Queue) awaitConnection(ctx context.Context) error {
	changed := q.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer q.nc.RemoveStatusListener(changed)
	for !q.nc.IsConnected() && ctx.Err() == nil {
		if q.nc.IsClosed() {
			return fmt.Errorf("consuming stream %s: %w", q.names.stream, nats.ErrConnectionClosed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}

// findConsumer finds the consumer again, or makes it again if somebody deleted it. It gives
// up on a request that went to a server that has gone since.
func (c *Consumer) findConsumer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if c.o.DryRun {
		return c.createDryRun(ctx)
	}
	source, err := c.q.js.Consumer(ctx, c.q.names.stream, durableName)
	switch {
	case err == nil:
		c.source = source
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		c.o.Log.Warn().Str("stream", c.q.names.stream).
			Msg("the stream was deleted, making it again; the events in it are lost until a sweep finds their files")
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		c.o.Log.Warn().Str("consumer", durableName).
			Msg("the consumer was deleted, making it again; events that were settled come again")
	default:
		return fmt.Errorf("looking for consumer %s: %w", durableName, err)
	}
	if err := c.q.ensureStreams(ctx); err != nil {
		return err
	}
	return c.createConsumer(ctx)
}

// createDryRun makes the consumer of a dry run: one of its own, which begins where
// the durable one stands and leaves that alone.
func (c *Consumer) createDryRun(ctx context.Context) error {
	var floor uint64
	durable, err := c.q.js.Consumer(ctx, c.q.names.stream, durableName)
	switch {
	case err == nil:
		floor = durable.CachedInfo().AckFloor.Stream
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return fmt.Errorf("looking for consumer %s: %w", durableName, err)
	}
	c.source, err = c.q.js.CreateConsumer(ctx, c.q.names.stream, jetstream.ConsumerConfig{
		FilterSubject:     c.q.names.eventSubjects(),
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       floor + 1,
		AckPolicy:         jetstream.AckExplicitPolicy,
		AckWait:           c.o.AckWait,
		MaxDeliver:        -1,
		MaxAckPending:     c.o.MaxAckPending,
		MemoryStorage:     true,
		InactiveThreshold: 5 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("making the consumer of a dry run of stream %s: %w", c.q.names.stream, err)
	}
	c.target = c.source.CachedInfo().NumPending
	return nil
}
