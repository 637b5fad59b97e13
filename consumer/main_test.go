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
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/repo"
	"pruned/repo/repotest"
)

// A server that ends while one of its streams looks for its source leaves that
// goroutine of its own until a timer of its own fires.
func TestMain(m *testing.M) {
	repotest.Main(m, goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.(*stream).trySetupSourceConsumer.func3"))
}

// patience is how long a test waits for a signal that must come.
const patience = 60 * time.Second

// testContext ends before the test run would be cut off.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	return ctx
}

// testLog shows the log in the output of a test that fails.
func testLog(t *testing.T) zerolog.Logger {
	return zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.DebugLevel)
}

// startServer runs a server whose files are in dir, on a port (0 for any).
func startServer(t *testing.T, dir string, port int) *server.Server {
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
	require.True(t, s.ReadyForConnections(patience))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

func dial(t *testing.T, url string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, append(resilient(t.Name(), testLog(t)), nats.ReconnectWait(20*time.Millisecond))...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func testStream(t *testing.T) StreamOptions {
	return StreamOptions{Name: "PRUNED", Installation: "here", Retention: time.Hour, MaxBytes: 64 << 20, Log: testLog(t)}
}

// openQueue returns a queue on a server of its own.
func openQueue(t *testing.T) *Queue {
	t.Helper()
	return openOn(t, dial(t, startServer(t, t.TempDir(), 0).ClientURL()), testStream(t))
}

func openOn(t *testing.T, nc *nats.Conn, opts StreamOptions) *Queue {
	t.Helper()
	q, err := Open(testContext(t), nc, opts)
	require.NoError(t, err)
	return q
}

// claims are n claims about the files f-0, f-1, ...
func someClaims(n int) func(func(Event, error) bool) {
	return func(yield func(Event, error) bool) {
		for i := range n {
			if !yield(NewEvent(fmt.Sprintf("f-%d", i), "test", "a test"), nil) {
				return
			}
		}
	}
}

func claimsOf(events ...Event) func(func(Event, error) bool) {
	return func(yield func(Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func publish(t *testing.T, q *Queue, events func(func(Event, error) bool)) {
	t.Helper()
	_, err := q.Publish(testContext(t), events, PublishOptions{})
	require.NoError(t, err)
}

// fake is a handler whose outcomes the test decides.
type fake struct {
	size   int
	handle func(ctx context.Context, events []Delivery) ([]Result, error)

	mu      sync.Mutex
	batches [][]Delivery
	seen    map[string]int // deliveries per file id
}

func (f *fake) Size() int {
	if f.size == 0 {
		return 100
	}
	return f.size
}

func (f *fake) Handle(ctx context.Context, events []Delivery, _ time.Time, _ func() error) ([]Result, error) {
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
		return all(events, Deleted), nil
	}
	return f.handle(ctx, events)
}

func (f *fake) files() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

func all(events []Delivery, o Outcome) []Result {
	results := make([]Result, len(events))
	for i := range results {
		results[i].Outcome = o
	}
	return results
}

// quick makes a consumer that a test need not wait for.
func quick(t *testing.T, q *Queue, h Handler, o Options) *Consumer {
	o.Log = testLog(t)
	c := New(q, h, o)
	c.idle = 400 * time.Millisecond
	c.again = pauses(10*time.Millisecond, 100*time.Millisecond)
	c.recover = pauses(10*time.Millisecond, 20*time.Millisecond)
	return c
}

func drain(t *testing.T, q *Queue, h Handler, o Options) Summary {
	t.Helper()
	o.Drain = true
	sum, err := quick(t, q, h, o).Run(testContext(t))
	require.NoError(t, err)
	return sum
}

// running runs a consumer until the returned function stops it.
func running(t *testing.T, c *Consumer) (stop func() Summary) {
	t.Helper()
	ctx, cancel := context.WithCancel(testContext(t))
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

// await waits for a signal.
func await[T any](t *testing.T, signal <-chan T) T {
	t.Helper()
	select {
	case v := <-signal:
		return v
	case <-time.After(patience):
		require.FailNow(t, "the signal never came")
	}
	panic("unreachable")
}

func backlog(t *testing.T, q *Queue) Backlog {
	t.Helper()
	b, err := q.Backlog(testContext(t))
	require.NoError(t, err)
	return b
}

// byPrefix gives each file the outcome that its id begins with, up to a dash.
func byPrefix(_ context.Context, events []Delivery) ([]Result, error) {
	var results []Result
	for _, e := range events {
		o, _, _ := strings.Cut(e.Subject, "-")
		r := Result{Outcome: Outcome(o), Detail: "because"}
		if r.Outcome == Poison {
			r.Err = &repo.Error{Kind: repo.Permanent, SQLState: "23503", Doing: "deleting", Err: errors.New("no")}
		}
		results = append(results, r)
	}
	return results, nil
}
