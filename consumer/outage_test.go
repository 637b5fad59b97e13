package consumer

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func TestServerRestartLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := StartServer(t, dir, 0)
	addr, ok := s.Addr().(*net.TCPAddr)
	require.True(t, ok)
	q := OpenQueueOn(t, Dial(t, s.ClientURL()), StreamOptionsOf(t))
	half := make(chan struct{})
	var once sync.Once
	h := &fake{size: 20}
	h.handle = func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if h.files() > 500 {
			once.Do(func() { close(half) })
		}
		return all(events, event.Deleted), nil
	}
	Publish(t, q, someEvents(2000))
	c := Quick(t, q, h, Options{Workers: 2, AckWait: 2 * time.Second})
	stop := running(t, c)
	Await(t, half)
	s.Shutdown()
	s.WaitForShutdown()
	require.Eventually(t, func() bool { return c.State() != nil }, Patience, time.Millisecond)
	StartServer(t, dir, addr.Port)
	require.Eventually(t, func() bool { return h.files() == 2000 && QueueBacklog(t, q) == Backlog{} }, Patience, 20*time.Millisecond)
	require.NoError(t, c.State())
	require.GreaterOrEqual(t, stop().Deleted, 2000)
}

func TestSilentServerIsNoticed(t *testing.T) {
	t.Parallel()
	p := newProxy(t, StartServer(t, t.TempDir(), 0).Addr().String())
	q := OpenQueueOn(t, Dial(t, "nats://"+p.Addr().String()), StreamOptionsOf(t))
	got := make(chan string, 2)
	c := Quick(t, q, &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		got <- events[0].Subject
		return all(events, event.Deleted), nil
	}}, Options{AckWait: 2 * time.Second})
	stop := running(t, c)
	Publish(t, q, EventsOf(event.New("a", "s", "")))
	require.Equal(t, "a", Await(t, got))

	p.freeze()
	require.Eventually(t, func() bool { return c.State() != nil }, Patience, time.Millisecond)
	require.Equal(t, nats.CONNECTED, q.nc.Status(), "the connection itself has noticed nothing")
	p.thaw()
	Publish(t, q, EventsOf(event.New("b", "s", "")))
	require.Equal(t, "b", Await(t, got))
	require.NoError(t, c.State())
	stop()
}

// proxy passes bytes on until it is frozen.
type proxy struct {
	net.Listener
	mu sync.RWMutex // write-locked while frozen
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{Listener: l}
	var copies sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		copies.Wait()
	})
	copies.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				panic(fmt.Sprintf("the server behind the proxy: %v", err))
			}
			copies.Go(func() { p.pass(in, out) })
			copies.Go(func() { p.pass(out, in) })
		}
	})
	return p
}

func (p *proxy) pass(from, to net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.RLock()
		_, failed := to.Write(buf[:n])
		p.mu.RUnlock()
		if err != nil || failed != nil {
			return
		}
	}
}

func (p *proxy) freeze() { p.mu.Lock() }
func (p *proxy) thaw()   { p.mu.Unlock() }
