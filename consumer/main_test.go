package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/consumer/event"
	"pruned/consumer/loop"
	"pruned/repo"
	"pruned/repo/testenv"
)

// A server that ends while one of its streams looks for its source leaves that
// goroutine of its own until a timer of its own fires.
func TestMain(m *testing.M) {
	testenv.Main(m, goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.(*stream).trySetupSourceConsumer.func3"))
}

// Patience is how long a test waits for a signal that must come.
const Patience = 60 * time.Second

// Context ends before the test run would be cut off.
func Context(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*Patience)
	t.Cleanup(cancel)
	return ctx
}

// Log shows the log in the output of a test that fails.
func Log(t *testing.T) zerolog.Logger {
	return zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.DebugLevel)
}

// StartServer runs a server whose files are in dir, on a port (0 for any).
func StartServer(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "test", Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 40,
	})
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(Patience))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
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

func EventsOf(events ...event.Event) func(func(event.Event, error) bool) {
	return func(yield func(event.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func Publish(t *testing.T, q *Queue, events func(func(event.Event, error) bool)) {
	t.Helper()
	_, err := q.Publish(Context(t), events, PublishOptions{})
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

func (f *fake) Handle(ctx context.Context, events []event.Delivery, _ time.Time, _ func() error) ([]event.Result, error) {
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

// Await waits for a signal.
func Await[T any](t *testing.T, signal <-chan T) T {
	t.Helper()
	select {
	case v := <-signal:
		return v
	case <-time.After(Patience):
		require.FailNow(t, "the signal never came")
	}
	panic("unreachable")
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
