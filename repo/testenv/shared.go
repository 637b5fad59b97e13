package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// shared is the server that all tests of this process have in common.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

func sharedServer(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = StartServer(context.Background(), ServerOptions{})
	}
	if shared.err != nil {
		t.Fatalf("start the test server: %v", shared.err)
	}
	return shared.server
}

// Main runs the tests of a package, stops the server that they shared, and
// fails if a goroutine is left that the options do not name. Call it from
// TestMain; it does not return.
func Main(m *testing.M, options ...goleak.Option) { goleak.VerifyTestMain(suite{m}, options...) }

type suite struct{ tests *testing.M }

func (s suite) Run() int {
	code := s.tests.Run()
	tellLeftOut()
	if err := errors.Join(stopShared(), endSharedS3()); err != nil {
		fmt.Fprintln(os.Stderr, "stop the test server:", err)
		return max(code, 1)
	}
	return code
}

func stopShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	return shared.server.Stop()
}
