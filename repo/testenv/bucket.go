package testenv

import (
	"context"

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

// PutMany puts objects, many at once.
func PutMany(ctx context.Context, b Bucket, keys []string, content []byte) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, key := range keys {
		group.Go(func() error { return b.Put(ctx, key, content) })
	}
	return group.Wait()
}
