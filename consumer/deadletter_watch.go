package consumer

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"pruned/consumer/loop"
)

const (
	watchName = "notify"
	watchWait = 20 * time.Second // for whoever is told of a dead letter
	watchMost = 5 * time.Minute
)

// WatchDeadLetters tells fn of each dead letter, those that are there already too, until ctx
// ends. What fn has not taken by then comes again, also to the next process: the queue
// remembers how far it is, and replicas share that. One that was redriven or purged
// meanwhile is not told.
func (q *Queue) WatchDeadLetters(ctx context.Context, log zerolog.Logger, fn func(context.Context, DeadLetter) error) {
	pauses := loop.NewBackoff(time.Second, watchMost)
	away := newOutage()
	for ctx.Err() == nil {
		err := q.watchUntilError(ctx, pauses, fn)
		if ctx.Err() != nil {
			return
		}
		if away.set(err) {
			log.Debug().Err(err).Msg("dead letters cannot be told of; it is tried again")
		}
		loop.Sleep(ctx, pauses.NextBackOff())
	}
}

// watchUntilError tells of one after the other, until one cannot be read or told.
func (q *Queue) watchUntilError(ctx context.Context, pauses *backoff.ExponentialBackOff, fn func(context.Context, DeadLetter) error) error {
	source, err := q.createWatch(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		msgs, err := fetchMessages(source, 1, jetstream.FetchMaxWait(2*time.Second), jetstream.FetchHeartbeat(500*time.Millisecond))
		if err != nil {
			return fmt.Errorf("fetching dead letters: %w", err)
		}
		for _, msg := range msgs {
			if err := q.tellLetter(ctx, msg, fn); err != nil {
				return err
			}
			pauses.Reset()
		}
	}
	return nil
}

func (q *Queue) tellLetter(ctx context.Context, msg jetstream.Msg, fn func(context.Context, DeadLetter) error) error {
	letter, err := q.decodeDeadLetter(msg.Subject(), msg.Headers())
	if err != nil {
		_ = msg.Term() // nobody can tell of it
		return err
	}
	if err := fn(ctx, letter); err != nil {
		_ = msg.Nak() // else it comes again when its lease ends
		return err
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	if err := msg.DoubleAck(after); err != nil {
		return fmt.Errorf("acking dead letter %s: %w", letter.Name, err)
	}
	return nil
}

// createWatch makes the consumer. One that is there goes on where it was.
func (q *Queue) createWatch(ctx context.Context) (source jetstream.Consumer, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err = q.withStreams(ctx, func() error {
		source, err = q.js.CreateOrUpdateConsumer(ctx, q.names.deadLetterStream(), jetstream.ConsumerConfig{
			Durable:       watchName,
			FilterSubject: q.names.deadLetterSubjects(),
			DeliverPolicy: jetstream.DeliverAllPolicy,
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       watchWait,
			MaxDeliver:    -1,
			HeadersOnly:   true,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making consumer %s of stream %s: %w", watchName, q.names.deadLetterStream(), err)
	}
	return source, nil
}
