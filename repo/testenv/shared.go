package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

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

// Timers of a library may end its goroutines after the last test: nats-server waits up to
// 30 seconds for an answer about the source of a stream, also after its shutdown.
const (
	leakPatience  = 45 * time.Second
	leakPollEvery = 500 * time.Millisecond
)

// leftOpen are those of the store of a stream. nats-server 2.15.2, shut down while it makes
// one, leaves it open for ever, on a busy machine now and then; one that nobody shut down has
// others.
var leftOpen = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*fileStore).flushStreamStateLoop"),
	goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"),
}

// Main runs the tests of a package, stops the servers that they shared, and fails where a
// goroutine is left that does not end by itself. Call it from TestMain; it does not return.
func Main(m *testing.M) {
	code := m.Run()
	tellLeftOut()
	if err := errors.Join(stopShared(), endSharedBytes(), sharedMilvus.end(), sharedMilvusLite.end(), sharedMariaDB.end(), sharedQdrant.end(), sharedOpenSearch.end(), sharedMoto.end(), sharedValkey.end(), weaviatePool.end(), opensearchPool.end()); err != nil {
		fmt.Fprintln(os.Stderr, "stop the test server:", err)
		code = max(code, 1)
	}
	if code == 0 {
		if err := awaitNoLeak(leakPatience); err != nil {
			fmt.Fprintln(os.Stderr, "after the tests:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// awaitNoLeak returns what goleak still finds when the time is over.
func awaitNoLeak(patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := goleak.Find(leftOpen...)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(leakPollEvery)
	}
}

func stopShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	return shared.server.Stop()
}
