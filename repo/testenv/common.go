package testenv

import (
	"context"
	"sync"
	"testing"
)

// common is a server that all tests of this process have in common: it starts for the
// first that asks, and Main ends it.
type common[Server interface{ End() error }] struct {
	mutex   sync.Mutex
	started bool
	server  Server
	err     error
}

func (c *common[Server]) get(t testing.TB, start func(context.Context) (Server, error)) Server {
	t.Helper()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.started {
		c.started = true
		c.server, c.err = start(context.Background())
	}
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c.server
}

func (c *common[Server]) end() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.started || c.err != nil {
		return nil
	}
	return c.server.End()
}
