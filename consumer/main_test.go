package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture/natstest"
	"pruned/consumer/loop"
	"pruned/repo"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const Patience = natstest.Patience

var (
	Context     = natstest.Context
	Log         = natstest.Log
	StartServer = natstest.StartServer
	EventsOf    = event.Sequence
)

func Await[T any](t *testing.T, signal <-chan T) T {
	t.Helper()
	return natstest.Await(t, signal)
}

func Dial(t *testing.T, url string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, append(connectionOptions(t.Name(), Log(t)), nats.ReconnectWait(20*time.Millisecond))...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func StreamOptionsOf(t *testing.T) StreamOptions {
	return StreamOptions{Name: "PRUNED", Installation: "here", Retention: time.Hour, MaxBytes: 64 << 20, Log: Log(t)}
}

// OpenQueue returns a queue on a server of its own.
func OpenQueue(t *testing.T) *Queue {
	t.Helper()
	return OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), StreamOptionsOf(t))
}

func OpenQueueOn(t *testing.T, nc *nats.Conn, opts StreamOptions) *Queue {
	t.Helper()
	q, err := Open(Context(t), nc, opts)
	require.NoError(t, err)
	return q
}

// events are n events about the files f-0, f-1, ...
func someEvents(n int) func(func(event.Event, error) bool) {
	return func(yield func(event.Event, error) bool) {
		for i := range n {
			if !yield(event.New(fmt.Sprintf("f-%d", i), "test", "a test"), nil) {
				return
			}
		}
	}
}

func Publish(t *testing.T, q *Queue, events func(func(event.Event, error) bool)) {
	t.Helper()
	_, err := q.Publish(Context(t), events, nil)
	require.NoError(t, err)
}

// fake is a handler whose outcomes the test decides.
type fake struct {
	size   int
	handle func(ctx context.Context, events []event.Delivery) ([]event.Result, error)

	mu      sync.Mutex
	batches [][]event.Delivery
	seen    map[string]int // deliveries per file id
}

func (f *fake) Size() int {
	if f.size == 0 {
		return 100
	}
	return f.size
}

func (f *fake) Linger() time.Duration { return 10 * time.Millisecond }

func (f *fake) Handle(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
	f.mu.Lock()
	f.batches = append(f.batches, events)
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	for _, e := range events {
		f.seen[e.Subject]++
	}
	f.mu.Unlock()
	if f.handle == nil {
		return all(events, event.Deleted), nil
	}
	return f.handle(ctx, events)
}

func (f *fake) files() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

func all(events []event.Delivery, o event.Outcome) []event.Result {
	results := make([]event.Result, len(events))
	for i := range results {
		results[i].Outcome = o
	}
	return results
}

// Quick makes a consumer that a test need not wait for.
func Quick(t *testing.T, q *Queue, h event.Handler, o Options) *Consumer {
	o.Log = Log(t)
	c := New(q, h, o)
	c.o.Idle = 400 * time.Millisecond
	c.reconnectPauses = loop.NewBackoff(10*time.Millisecond, 100*time.Millisecond)
	c.recoverPauses = loop.NewBackoff(10*time.Millisecond, 20*time.Millisecond)
	return c
}

func Drain(t *testing.T, q *Queue, h event.Handler, o Options) Summary {
	t.Helper()
	o.Drain = true
	sum, err := Quick(t, q, h, o).Run(Context(t))
	require.NoError(t, err)
	return sum
}

// running runs a consumer until the returned function stops it.
func running(t *testing.T, c *Consumer) (stop func() Summary) {
	t.Helper()
	ctx, cancel := context.WithCancel(Context(t))
	type end struct {
		sum Summary
		err error
	}
	ended := make(chan end, 1)
	go func() {
		sum, err := c.Run(ctx)
		ended <- end{sum, err}
	}()
	var once sync.Once
	var sum Summary
	stop = func() Summary {
		once.Do(func() {
			cancel()
			e := <-ended
			require.NoError(t, e.err)
			sum = e.sum
		})
		return sum
	}
	t.Cleanup(func() { stop() })
	return stop
}

func QueueBacklog(t *testing.T, q *Queue) Backlog {
	t.Helper()
	b, err := q.Backlog(Context(t))
	require.NoError(t, err)
	return b
}

// byPrefix gives each file the outcome that its id begins with, up to a dash.
func byPrefix(_ context.Context, events []event.Delivery) ([]event.Result, error) {
	var results []event.Result
	for _, e := range events {
		o, _, _ := strings.Cut(e.Subject, "-")
		r := event.Result{Outcome: event.Outcome(o), Detail: "because"}
		if r.Outcome == event.Poison {
			r.Err = &repo.Error{Kind: repo.Permanent, SQLState: "23503", Doing: "deleting", Err: errors.New("no")}
		}
		results = append(results, r)
	}
	return results, nil
}

func EventsIn(t *testing.T, q *Queue) (events []event.Event) {
	t.Helper()
	for msg, err := range q.readStream(Context(t), q.names.stream, jetstream.ConsumerConfig{FilterSubject: q.names.eventSubjects()}) {
		require.NoError(t, err)
		e, err := event.Parse(msg.Data())
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func AwaitEvents(t *testing.T, q *Queue, n uint64) {
	t.Helper()
	require.Eventually(t, func() bool { return QueueBacklog(t, q).Pending == n }, Patience, 20*time.Millisecond)
}
