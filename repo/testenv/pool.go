package testenv

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// serversAtOnce bounds the servers of a pool.
const serversAtOnce = 3

// pool is of servers that tests have one at a time and alone: what is in such a server cannot
// be kept apart. They start when they are needed, and Main ends them.
type pool[Server interface{ End() error }] struct {
	start func(context.Context) (Server, error)
	free  chan Server
	may   chan bool // a server more

	mutex   sync.Mutex
	started []Server
}

func newPool[Server interface{ End() error }](start func(context.Context) (Server, error)) *pool[Server] {
	p := &pool[Server]{start: start, free: make(chan Server, serversAtOnce), may: make(chan bool, serversAtOnce)}
	for range serversAtOnce {
		p.may <- true
	}
	return p
}

func (p *pool[Server]) borrow(t testing.TB) (server Server, give func()) {
	t.Helper()
	select {
	case server = <-p.free:
	default:
		select {
		case server = <-p.free:
		case <-p.may:
			server = p.startOne(t)
		}
	}
	return server, func() { p.free <- server }
}

func (p *pool[Server]) startOne(t testing.TB) Server {
	t.Helper()
	server, err := p.start(context.Background())
	if err != nil {
		p.may <- true
		t.Fatal(err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.started = append(p.started, server)
	return server
}

func (p *pool[Server]) end() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var failures []error
	for _, server := range p.started {
		failures = append(failures, server.End())
	}
	return errors.Join(failures...)
}
