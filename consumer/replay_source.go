package consumer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

const (
	// replayPrefix begins the names of the consumers that remember how far a
	// replay is.
	replayPrefix = "pruned-replay-"
	// replayLife is how long an interrupted one can be resumed. What it has still
	// to read cannot be purged from a stream that is full.
	replayLife = 24 * time.Hour
	dryRunLife = 5 * time.Minute

	untilKey  = "pruned.until"
	reasonKey = "pruned.reason"
)

// openSource finds the consumer of an interrupted replay, or makes one.
func (r *replay) openSource(ctx context.Context) (err error) {
	if r.o.Resume != "" {
		err = r.findSource(ctx)
	} else {
		err = r.createSource(ctx)
	}
	if err != nil {
		return err
	}
	left := backlogOf(r.source.CachedInfo())
	r.total = left.Pending + left.Unacked
	return nil
}

// createSource makes the consumer. Where the replay ends is kept with it.
func (r *replay) createSource(ctx context.Context) error {
	cfg, err := r.sourceConfig()
	if err != nil {
		return err
	}
	s, err := r.q.js.Stream(ctx, r.stream)
	if err != nil {
		return fmt.Errorf("looking for stream %s: %w", r.stream, err)
	}
	r.until, r.reason = s.CachedInfo().State.LastSeq, event.CleanText(r.o.Reason)
	if r.o.DryRun {
		cfg.MemoryStorage, cfg.InactiveThreshold = true, dryRunLife
	} else {
		r.name = uuid.NewString()[:8]
		cfg.Durable, cfg.InactiveThreshold = replayPrefix+r.name, replayLife
		cfg.Metadata = map[string]string{untilKey: strconv.FormatUint(r.until, 10), reasonKey: r.reason}
	}
	if r.source, err = r.q.js.CreateConsumer(ctx, r.stream, cfg); err != nil {
		return fmt.Errorf("making the consumer of a replay of stream %s: %w", r.stream, err)
	}
	return nil
}

// sourceConfig says where the replay begins.
func (r *replay) sourceConfig() (jetstream.ConsumerConfig, error) {
	cfg := jetstream.ConsumerConfig{
		FilterSubject: r.q.names.eventSubjects(),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       r.c.o.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: r.c.o.MaxAckPending,
	}
	r.stream = r.q.names.stream
	chosen := 0
	if !r.o.Since.IsZero() {
		chosen++
		since := r.o.Since
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
	}
	if r.o.FromSeq > 0 {
		chosen++
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.o.FromSeq
	}
	if r.o.All {
		chosen++
		cfg.DeliverPolicy = jetstream.DeliverAllPolicy
	}
	if r.o.Dead {
		chosen++
		r.stream, cfg.FilterSubject = r.q.names.deadLetterStream(), r.q.names.deadLetterSubjects()
	}
	if chosen != 1 {
		return cfg, fmt.Errorf("a replay has one beginning, not %d", chosen)
	}
	return cfg, nil
}

// findSource finds the consumer by the replay's name, in whichever stream it is.
func (r *replay) findSource(ctx context.Context) error {
	durable := replayPrefix + r.o.Resume
	if !plainToken.MatchString(durable) {
		return fmt.Errorf("replay %s: %w", event.QuoteText(r.o.Resume), ErrNoReplay)
	}
	for _, r.stream = range []string{r.q.names.stream, r.q.names.deadLetterStream()} {
		source, err := r.q.js.Consumer(ctx, r.stream, durable)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking for replay %s: %w", r.o.Resume, err)
		}
		kept := source.CachedInfo().Config.Metadata
		r.until, err = strconv.ParseUint(kept[untilKey], 10, 64)
		if err != nil {
			return fmt.Errorf("replay %s does not say where it ends: %w", r.o.Resume, err)
		}
		r.name, r.reason = r.o.Resume, kept[reasonKey]
		return r.resetSource(ctx, source, durable)
	}
	return fmt.Errorf("replay %s: %w", event.QuoteText(r.o.Resume), ErrNoReplay)
}

// resetSource has delivered at once what the interrupted process had in hand. Older
// servers cannot, and deliver it when its lease ends.
func (r *replay) resetSource(ctx context.Context, source jetstream.Consumer, durable string) error {
	if _, err := r.q.js.ResetConsumer(ctx, r.stream, durable); err != nil {
		r.o.Log.Debug().Err(err).Msg("what the interrupted replay had in hand comes when its lease ends")
	}
	if _, err := source.Info(ctx); err != nil {
		return fmt.Errorf("looking for replay %s: %w", r.name, err)
	}
	r.source = source
	return nil
}

// deleteSource removes the consumer. One of a dry run that stays behind ends by itself.
func (r *replay) deleteSource(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	if err := r.q.js.DeleteConsumer(ctx, r.stream, r.source.CachedInfo().Name); err != nil {
		r.o.Log.Warn().Err(err).Msg("the consumer of a replay could not be deleted; it ends by itself")
	}
}
