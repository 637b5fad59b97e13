package consumer

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer/event"
	"pruned/consumer/loop"
	"pruned/consumer/tracing"
)

// PublishHint publishes an event of the application as it came. It returns once the
// stream has stored it, or had it already.
func (q *Queue) PublishHint(ctx context.Context, id, event string, payload []byte) error {
	return q.publishOnce(ctx, id, q.names.hintSubject(event), payload)
}

// PublishEvent publishes one event. It returns once the stream has stored it, or had
// one of this id already.
func (q *Queue) PublishEvent(ctx context.Context, e event.Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("an event to publish: %w", err)
	}
	ctx, span := q.tracer().Start(ctx, "publish", trace.WithSpanKind(trace.SpanKindProducer))
	defer span.End()
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
	tracing.Inject(trace.SpanContextFromContext(ctx), msg.Header)
	return q.withStreams(ctx, func() error {
		if _, err := q.js.PublishMsg(ctx, msg); err != nil {
			return fmt.Errorf("publishing on %s: %w", subject, storeError(err))
		}
		return nil
	})
}

const (
	// hintsName is the pull consumer that the sweeps of all processes share.
	hintsName = "pruned-hints"
	// hintsWait is how long hints wait for a sweep before they come again; one
	// that comes twice makes one sweep too many.
	hintsWait = 5 * time.Minute
	// maxHints are fetched and not acked. A sweep is for all of them, and for
	// those that come after it.
	maxHints = 10_000
)

// HintBatch is hints by sequence: of one that came again the last delivery.
type HintBatch map[uint64]jetstream.Msg

// Hints fetches hints and keeps them until a sweep that began later has
// succeeded.
type Hints struct {
	q    *Queue
	log  zerolog.Logger
	wake func() // told when there are new ones
	idle time.Duration

	asked time.Time // whether the consumer is paused

	mu   sync.Mutex
	held HintBatch
}

// NewHints returns hints of a queue. wake is called when there are new ones.
func NewHints(q *Queue, log zerolog.Logger, wake func()) *Hints {
	return &Hints{q: q, log: log, wake: wake, idle: 2 * time.Second, held: HintBatch{}}
}

// Run fetches until ctx ends.
func (h *Hints) Run(ctx context.Context) {
	again := loop.NewBackoff(100*time.Millisecond, 5*time.Second)
	away := newOutage()
	for ctx.Err() == nil {
		err := h.fetchUntilError(ctx, again, away)
		if err == nil || ctx.Err() != nil {
			return
		}
		if away.set(err) {
			h.log.Warn().Err(err).Msg("no hints can be fetched from the queue")
		}
		if !loop.Sleep(ctx, again.NextBackOff()) || h.q.awaitConnection(ctx) != nil {
			return
		}
	}
}

// fetchUntilError fetches until it fails.
func (h *Hints) fetchUntilError(ctx context.Context, again *backoff.ExponentialBackOff, away *outage) error {
	source, err := h.createConsumer(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		// The first one is not kept waiting for those that come with it.
		msgs, err := fetchMessages(source, 1, jetstream.FetchMaxWait(h.idle), jetstream.FetchHeartbeat(h.idle/4))
		if len(msgs) > 0 && err == nil {
			var more []jetstream.Msg
			more, err = fetchMessages(source, maxHints, jetstream.FetchMaxWait(linger))
			msgs = append(msgs, more...)
		}
		h.addFetched(msgs)
		if len(msgs) == 0 && err == nil {
			err = h.askPaused(ctx, source)
		}
		if err != nil {
			return fmt.Errorf("fetching hints of stream %s: %w", h.q.names.hintStream(), err)
		}
		again.Reset()
		if away.clear() {
			h.log.Info().Msg("hints can be fetched again")
		}
	}
	return nil
}

// createConsumer makes the consumer, also if somebody deleted it, or its stream. What
// hints say is nobody's business: only their arrival is.
func (h *Hints) createConsumer(ctx context.Context) (source jetstream.Consumer, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err = h.q.withStreams(ctx, func() error {
		source, err = h.q.js.CreateOrUpdateConsumer(ctx, h.q.names.hintStream(), jetstream.ConsumerConfig{
			Durable:       hintsName,
			FilterSubject: h.q.names.hintSubjects(),
			DeliverPolicy: jetstream.DeliverAllPolicy,
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       hintsWait,
			MaxDeliver:    -1,
			MaxAckPending: maxHints,
			HeadersOnly:   true,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making consumer %s of stream %s: %w", hintsName, h.q.names.hintStream(), err)
	}
	return source, h.q.checkPaused(ctx, source.CachedInfo())
}

// askPaused asks now and then, when nothing came, whether that is why.
func (h *Hints) askPaused(ctx context.Context, source jetstream.Consumer) error {
	if time.Since(h.asked) < pausedEvery {
		return nil
	}
	h.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := source.Info(ctx)
	if err != nil {
		return err
	}
	return h.q.checkPaused(ctx, info)
}

func (h *Hints) addFetched(msgs []jetstream.Msg) {
	if len(msgs) == 0 {
		return
	}
	h.mu.Lock()
	for _, msg := range msgs {
		if meta, err := msg.Metadata(); err == nil {
			h.held[meta.Sequence.Stream] = msg
		}
	}
	h.mu.Unlock()
	h.wake()
}

// Take hands over what has been fetched so far, to a sweep that begins now.
func (h *Hints) Take() HintBatch {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.held
	h.held = HintBatch{}
	return taken
}

// PutBack is for a sweep that failed: the next one is for these as well.
func (h *Hints) PutBack(taken HintBatch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.Copy(taken, h.held)
	h.held = taken
}

// AckAll acks what a sweep was for. If that fails they come again.
func (h *Hints) AckAll(ctx context.Context, taken HintBatch) {
	if len(taken) == 0 {
		return
	}
	if err := h.q.ackAll(context.WithoutCancel(ctx), slices.Collect(maps.Values(taken))); err != nil {
		h.log.Warn().Err(err).Int("hints", len(taken)).Msg("hints could not be acked; they come again")
	}
}

// NakAll returns to the queue what no sweep was for.
func (h *Hints) NakAll() {
	for _, msg := range h.Take() {
		if err := msg.Nak(); err != nil {
			h.log.Debug().Err(err).Msg("hints could not be given back; they come again when their lease ends")
			return
		}
	}
}
