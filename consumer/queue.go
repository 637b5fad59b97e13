package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// ErrForeign: the stream belongs to another installation.
var ErrForeign = errors.New("set PRUNED_STREAM to a name that nobody uses")

// schedulesLevel is the JetStream API level since which a server schedules
// messages (2.12).
const schedulesLevel = 2

// requestTimeout bounds one request to the server.
const requestTimeout = 5 * time.Second

// StreamOptions say how events are kept.
type StreamOptions struct {
	Name         string        // of the stream; the others are named after it
	Installation string        // identity; streams of another are refused
	Retention    time.Duration // how long anything is kept
	MaxBytes     int64         // of events; hints, schedules and dead letters may have a quarter of it each
	// Embedded: this process owns the queue, nobody else can be working on it.
	Embedded bool
	Log      zerolog.Logger
}

// Queue is the streams of one installation. Its methods may be called at the
// same time.
type Queue struct {
	nc        *nats.Conn
	js        jetstream.JetStream
	names     names
	opts      StreamOptions
	schedules bool
	soonest   time.Duration // least time ahead of a schedule
}

// Open finds or makes the streams of an installation. The connection stays the
// caller's.
func Open(ctx context.Context, nc *nats.Conn, opts StreamOptions) (*Queue, error) {
	q, err := newQueue(ctx, nc, opts)
	if err != nil {
		return nil, err
	}
	return q, q.ensureStreams(ctx)
}

// Find is Open for those who only look: it makes and changes nothing, and streams
// may be missing.
func Find(ctx context.Context, nc *nats.Conn, opts StreamOptions) (*Queue, error) {
	q, err := newQueue(ctx, nc, opts)
	if err != nil {
		return nil, err
	}
	return q, q.checkOwner(ctx)
}

func newQueue(ctx context.Context, nc *nats.Conn, opts StreamOptions) (*Queue, error) {
	n, err := newNames(opts.Name)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		return nil, fmt.Errorf("using JetStream: %w", err)
	}
	account, err := js.AccountInfo(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the queue's server for JetStream: %w", err)
	}
	return &Queue{
		nc: nc, js: js, names: n, opts: opts,
		schedules: account.API.Level >= schedulesLevel,
		soonest:   time.Minute,
	}, nil
}

// Name is the stream that holds the events.
func (q *Queue) Name() string { return q.names.stream }

// Schedules says whether the server can deliver an event later.
func (q *Queue) Schedules() bool { return q.schedules }

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
