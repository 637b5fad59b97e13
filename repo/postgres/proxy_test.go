package postgres_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// What a proxy does with the network between us and the server.
const (
	works          = iota
	losesRequests  // cuts the line when we say something
	losesAnswers   // cuts the line when the server answers
	swallowAnswers // says nothing
)

// proxy is a network that can fail.
type proxy struct {
	url      string
	failure  atomic.Int32
	listener net.Listener
	server   atomic.Pointer[string]
	running  sync.WaitGroup
	mu       sync.Mutex
	lines    []net.Conn
}

func newProxy(t testing.TB, d *testenv.Database) *proxy {
	t.Helper()
	u, err := url.Parse(d.URL)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener}
	server := u.Host
	p.server.Store(&server)
	u.Host = listener.Addr().String()
	p.url = u.String()
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		p.running.Wait()
	})
	return p
}

// cut ends every line there is.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		_ = line.Close()
	}
}

// moveTo leads to another server from now on.
func (p *proxy) moveTo(t testing.TB, address string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	p.server.Store(&u.Host)
	p.cut()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", *p.server.Load())
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.lines = append(p.lines, client, server)
		p.mu.Unlock()
		p.running.Go(func() { p.carry(server, client, losesRequests) })
		p.running.Go(func() { p.carry(client, server, losesAnswers) })
	}
}

// carry passes bytes on until the line ends, or fails in the way that this
// direction can.
func (p *proxy) carry(to, from net.Conn, loses int32) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		switch failure := p.failure.Load(); {
		case failure == loses:
			return
		case failure == swallowAnswers && loses == losesAnswers:
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
