package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"
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
	Deleted  bool // there is a stream of what was deleted
	// Tracer makes spans of what is published and handled; nil: nobody traces.
	Tracer trace.Tracer
	Log    zerolog.Logger
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
