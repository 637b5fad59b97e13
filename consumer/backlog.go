package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Backlog is what waits for the durable consumer.
type Backlog struct {
	Pending uint64 // never delivered
	Unacked uint64 // delivered and not settled, delayed ones included
}

// Backlog counts what waits; all of it where nobody has consumed yet.
func (q *Queue) Backlog(ctx context.Context) (Backlog, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	c, err := q.js.Consumer(ctx, q.names.stream, durableName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return q.countUnread(ctx)
	}
	if err != nil {
		return Backlog{}, fmt.Errorf("asking stream %s for its backlog: %w", q.names.stream, err)
	}
	return backlogOf(c.CachedInfo()), nil
}

func (q *Queue) countUnread(ctx context.Context) (Backlog, error) {
	s, err := q.js.Stream(ctx, q.names.stream)
	if err != nil {
		return Backlog{}, fmt.Errorf("asking stream %s for its backlog: %w", q.names.stream, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(q.names.eventSubjects()))
	if err != nil {
		return Backlog{}, fmt.Errorf("counting the events of stream %s: %w", q.names.stream, err)
	}
	var b Backlog
	for _, n := range info.State.Subjects {
		b.Pending += n
	}
	return b, nil
}

func backlogOf(info *jetstream.ConsumerInfo) Backlog {
	return Backlog{Pending: info.NumPending, Unacked: uint64(max(info.NumAckPending, 0))}
}

// OldestEvent is how long the event has been in the queue that has been there longest of
// those that are not settled; there is false where none is. Settled events lie in the
// same stream, for replays: the first that counts is behind the consumer's floor.
func (q *Queue) OldestEvent(ctx context.Context) (age time.Duration, there bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	first := uint64(1)
	switch c, err := q.js.Consumer(ctx, q.names.stream, durableName); {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
	case err != nil:
		return 0, false, fmt.Errorf("asking stream %s for its oldest event: %w", q.names.stream, err)
	default:
		info := c.CachedInfo()
		if backlogOf(info) == (Backlog{}) {
			return 0, false, nil
		}
		first = info.AckFloor.Stream + 1
	}
	s, err := q.js.Stream(ctx, q.names.stream)
	if err != nil {
		return 0, false, fmt.Errorf("asking stream %s for its oldest event: %w", q.names.stream, err)
	}
	msg, err := s.GetMsg(ctx, first, jetstream.WithGetMsgSubject(q.names.eventSubjects()))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("reading the oldest event of stream %s: %w", q.names.stream, err)
	}
	return max(time.Since(msg.Time), 0), true, nil
}

// CountDeadLetters counts the dead letters, without reading them. What a probe has just
// stored beside them is none.
func (q *Queue) CountDeadLetters(ctx context.Context) (n uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	name := q.names.deadLetterStream()
	s, err := q.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil // storing the first makes it
	}
	if err != nil {
		return 0, fmt.Errorf("looking for stream %s: %w", name, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(q.names.probeSubject(name)+"*"))
	if err != nil {
		return 0, fmt.Errorf("counting the messages of stream %s: %w", name, err)
	}
	probes := uint64(len(info.State.Subjects))
	return info.State.Msgs - min(probes, info.State.Msgs), nil
}
