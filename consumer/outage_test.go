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
)

func TestServerRestartLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, 0)
	addr, ok := s.Addr().(*net.TCPAddr)
	require.True(t, ok)
	q := openOn(t, dial(t, s.ClientURL()), testStream(t))
	half := make(chan struct{})
	var once sync.Once
	h := &fake{size: 20}
	h.handle = func(_ context.Context, events []Delivery) ([]Result, error) {
		if h.files() > 500 {
			once.Do(func() { close(half) })
		}
		return all(events, Deleted), nil
	}
	publish(t, q, someClaims(2000))
	c := quick(t, q, h, Options{Workers: 2, AckWait: 2 * time.Second})
	stop := running(t, c)
	await(t, half)
	s.Shutdown()
	s.WaitForShutdown()
	require.Eventually(t, func() bool { return c.State() != nil }, patience, time.Millisecond)
	startServer(t, dir, addr.Port)
	require.Eventually(t, func() bool { return h.files() == 2000 && backlog(t, q) == Backlog{} }, patience, 20*time.Millisecond)
	require.NoError(t, c.State())
	require.GreaterOrEqual(t, stop().Deleted, 2000)
}

func TestSilentServerIsNoticed(t *testing.T) {
	t.Parallel()
	p := newProxy(t, startServer(t, t.TempDir(), 0).Addr().String())
	q := openOn(t, dial(t, "nats://"+p.Addr().String()), testStream(t))
	got := make(chan string, 2)
	c := quick(t, q, &fake{handle: func(_ context.Context, events []Delivery) ([]Result, error) {
		got <- events[0].Subject
		return all(events, Deleted), nil
	}}, Options{AckWait: 2 * time.Second})
	stop := running(t, c)
	publish(t, q, claimsOf(NewEvent("a", "s", "")))
	require.Equal(t, "a", await(t, got))

	p.freeze()
	require.Eventually(t, func() bool { return c.State() != nil }, patience, time.Millisecond)
	require.Equal(t, nats.CONNECTED, q.nc.Status(), "the connection itself has noticed nothing")
	p.thaw()
	publish(t, q, claimsOf(NewEvent("b", "s", "")))
	require.Equal(t, "b", await(t, got))
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
