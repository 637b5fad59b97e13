package vectors

import (
	"context"
	"time"
)

// Transactional is a store in the database of the rows, which takes part in its
// transactions.
type Transactional interface {
	Store
	// RemoveInTx removes, as part of tx, the chunks of these files that can be found
	// at a cost that depends on the files alone. The rows of some may be locked; where
	// there is none, nothing but the chunks themselves can be. rest tells that chunks
	// may be left, which Remove has to look for.
	RemoveInTx(ctx context.Context, tx Tx, ids []string) (chunks int64, rest bool, err error)
}

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
	// Index makes it, without blocking the application; DropIndex removes it.
	Index(ctx context.Context) error
	DropIndex(ctx context.Context) error
}

// Encrypted is a store whose chunks may be encrypted with another key than the settings'.
type Encrypted interface {
	// Unreadable counts, among some encrypted chunks, those that do not decrypt.
	Unreadable(ctx context.Context) (n, of int64, err error)
}

// FolderKeeper is a store that has a folder for each collection, and leaves it behind
// when the application drops the collection.
type FolderKeeper interface {
	Store
	// Leftovers lists the folders that were left behind, by name. folders counts all
	// that are named as those of collections, whether or not they are in use.
	Leftovers(ctx context.Context) (list []Leftover, folders int64, err error)
	// RemoveLeftovers removes those of these folders that are left behind as of now, and
	// in which nothing was touched for minAge. It lists what it removed, and, with the
	// reason, what it could not remove.
	RemoveLeftovers(ctx context.Context, folders []string, minAge time.Duration) ([]Leftover, error)
}

// Leftover is a folder of a collection that was dropped.
type Leftover struct {
	Folder string
	Age    time.Duration // since it, or anything in it, was touched
	Bytes  int64         // that it takes of the disk
	Err    error         // why it cannot be looked into, or not be removed
}

// AllowAll lets every file lose its chunks.
func AllowAll(_ context.Context, ids []string) ([]string, error) { return ids, nil }
