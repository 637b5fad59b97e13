package consumer

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	readAtOnce = 256              // messages held by a reader
	readWait   = 5 * time.Second  // for messages that the server says are there
	readerLife = 30 * time.Second // of a reader's consumer after the reader died
)

// readStream streams what a stream holds now, in order, and leaves no trace: it acks
// nothing. cfg says where to begin and which subjects. It ends after what was
// there when it began.
func (q *Queue) readStream(ctx context.Context, stream string, cfg jetstream.ConsumerConfig) iter.Seq2[jetstream.Msg, error] {
	return func(yield func(jetstream.Msg, error) bool) {
		cfg.AckPolicy = jetstream.AckNonePolicy
		cfg.MemoryStorage = true
		cfg.InactiveThreshold = readerLife
		c, err := q.js.CreateConsumer(ctx, stream, cfg)
		if err != nil {
			yield(nil, fmt.Errorf("reading stream %s: %w", stream, err))
			return
		}
		err = readAll(ctx, c, func(msg jetstream.Msg) bool { return yield(msg, nil) })
		if err != nil {
			yield(nil, fmt.Errorf("reading stream %s: %w", stream, err))
		}
		// One that stays behind ends by itself.
		if gone := q.js.DeleteConsumer(context.WithoutCancel(ctx), stream, c.CachedInfo().Name); gone != nil {
			q.opts.Log.Debug().Err(gone).Msg("a reader's consumer could not be deleted")
		}
	}
}

// readAll hands out messages until each wants no more, which is no error.
func readAll(ctx context.Context, c jetstream.Consumer, each func(jetstream.Msg) bool) error {
	for left := c.CachedInfo().NumPending; left > 0; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		msgs, err := fetchMessages(c, int(min(left, readAtOnce)), jetstream.FetchMaxWait(readWait))
		for _, msg := range msgs {
			if !each(msg) {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if len(msgs) == 0 {
			return fmt.Errorf("%d messages did not come: %w", left, nats.ErrTimeout)
		}
		meta, err := msgs[len(msgs)-1].Metadata()
		if err != nil {
			return err
		}
		left = min(left-uint64(len(msgs)), meta.NumPending)
	}
	return nil
}

// fetchMessages fetches up to n messages. Messages and an error may come together.
func fetchMessages(c jetstream.Consumer, n int, opts ...jetstream.FetchOpt) ([]jetstream.Msg, error) {
	fetched, err := c.Fetch(n, opts...)
	if err != nil {
		return nil, err
	}
	msgs := make([]jetstream.Msg, 0, min(n, readAtOnce))
	for msg := range fetched.Messages() {
		msgs = append(msgs, msg)
	}
	return msgs, fetched.Error()
}
