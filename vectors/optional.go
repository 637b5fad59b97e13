package vectors

import "context"

// Guard says which of these files may lose chunks, as of now: a row may have come
// back since the removal was decided.
type Guard func(ctx context.Context, ids []string) (may []string, err error)

// Guarded is a store outside the database, whose removals take a while. It asks the
// guard right before each request that removes chunks, about the files that they
// belong to, or within the transaction that does. A file's own collection goes first,
// by a request of its own.
type Guarded interface {
	Store
	RemoveGuarded(ctx context.Context, ids []string, guard Guard) (Removed, error)
}

// Indexer is a store that looks for the chunks of a file by an index of ours.
type Indexer interface {
	Store
	// Index makes it, without blocking the application; DropIndex removes it.
	Index(ctx context.Context) error
	DropIndex(ctx context.Context) error
}

// AllowAll lets every file lose its chunks.
func AllowAll(_ context.Context, ids []string) ([]string, error) { return ids, nil }
