package testenv

import (
	"context"
	"errors"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// Bucket is a bucket of some server, asked by that server's own client.
type Bucket interface {
	Put(ctx context.Context, key string, content []byte) error
	Keys(ctx context.Context) ([]string, error)
	// RemoveMany removes objects as the client does that fastest, and looks at no answer
	// but errors.
	RemoveMany(ctx context.Context, keys []string) error
	// Settings are Open WebUI's, which lead to this bucket.
	Settings() []string
	// Root is what the paths of rows begin with, up to the key.
	Root() string
}

// ByteServer is a server that keeps buckets. Its methods are for one goroutine, its buckets
// for all.
type ByteServer interface {
	MakeBucket(ctx context.Context, name string) (Bucket, error)
	// Crash kills the server as a crash would; Recover starts it again on the same ports.
	Crash() error
	Recover(ctx context.Context) error
	// Kill and Restart are the same for a test.
	Kill(t testing.TB)
	Restart(t testing.TB)
	// End stops the server and removes what it kept.
	End() error
}

var byteServers = map[string]func(context.Context) (ByteServer, error){
	"s3":    func(ctx context.Context) (ByteServer, error) { return RunS3(ctx) },
	"gcs":   runGCS,
	"azure": runAzure,
}

// RunBytes starts a server of a storage provider of Open WebUI's, s3, gcs or azure, for
// programs, which End it.
func RunBytes(ctx context.Context, provider string) (ByteServer, error) {
	return byteServers[provider](ctx)
}

// StartBytes starts a server of one's own, which stops with the test.
func StartBytes(t testing.TB, provider string) ByteServer {
	t.Helper()
	s, err := RunBytes(context.Background(), provider)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.End(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// sharedBytes are the servers that all tests of this process have in common.
var sharedBytes struct {
	sync.Mutex
	servers map[string]ByteServer
	err     error
}

// SharedBytes is the server that all tests of this process have in common. Main stops it.
func SharedBytes(t testing.TB, provider string) ByteServer {
	t.Helper()
	sharedBytes.Lock()
	defer sharedBytes.Unlock()
	if sharedBytes.err != nil {
		t.Fatal(sharedBytes.err)
	}
	if s := sharedBytes.servers[provider]; s != nil {
		return s
	}
	s, err := RunBytes(context.Background(), provider)
	if err != nil {
		sharedBytes.err = err
		t.Fatal(err)
	}
	if sharedBytes.servers == nil {
		sharedBytes.servers = map[string]ByteServer{}
	}
	sharedBytes.servers[provider] = s
	return s
}

func endSharedBytes() error {
	sharedBytes.Lock()
	defer sharedBytes.Unlock()
	var failed []error
	for _, s := range sharedBytes.servers {
		failed = append(failed, s.End())
	}
	return errors.Join(failed...)
}

// PutMany puts objects, many at once.
func PutMany(ctx context.Context, b Bucket, keys []string, content []byte) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, key := range keys {
		group.Go(func() error { return b.Put(ctx, key, content) })
	}
	return group.Wait()
}
