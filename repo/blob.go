package repo

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Blob is one stored object: the bytes of a file.
type Blob struct {
	Name string // within the store, which no other object there has
	Size int64
	// Allocated is what it takes of the store's disk; Size where nobody tells that.
	Allocated int64
	Age       time.Duration // by the store's clock
}

// ErrOutside says that a name does not name an object of the store.
var ErrOutside = errors.New("not an object of the store")

// Blobs is where the bytes are. An object is called {uuid}_{name}, {uuid}.{ext}
// or {uuid} (openwebui: routers/files.py), behind what a store puts before all names.
type Blobs interface {
	// Info says what the store is called and where it lies. It asks nobody.
	Info() StoreInfo

	// NameOf is the name of the object that a row's path names; empty where it names
	// none. It asks nobody. A path that leads elsewhere has a name that is ErrOutside.
	NameOf(path string) string

	// Find lists the objects that belong to these ids, by id. An id that is no
	// UUID has none, since any name could be its.
	Find(ctx context.Context, ids []string) (map[string][]Blob, error)

	// List lists every object that is named after an id, in any order. The
	// sequence ends with its first error.
	List(ctx context.Context) iter.Seq2[Listed, error]

	// Stat looks at one object by its name; there is false without an error where
	// it is none of the store. A name that leaves the store is ErrOutside.
	Stat(ctx context.Context, name string) (blob Blob, there bool, err error)

	// Open opens one object by its name, to be read from its beginning; nil without an
	// error where it is none of the store. A name that leaves the store is ErrOutside.
	Open(ctx context.Context, name string) (io.ReadCloser, error)

	// Remove removes objects, each judged alone: failed says, by name, why one is
	// still there. One that is not there was removed. A name that leaves the store,
	// or names no plain object, is ErrOutside. err is a failure of the store itself:
	// objects of which failed says nothing may be gone or not.
	Remove(ctx context.Context, names []string) (failed map[string]error, err error)

	// Check says whether the store can be used, in a sentence for an operator.
	Check(ctx context.Context) error

	Close() error
}

// BlobGuard says which of these objects may go, as of now. there is what was just seen of
// those that are there.
type BlobGuard func(ctx context.Context, names []string, there map[string]Blob) (may []string, err error)

// GuardedBlobs is a store that removes many objects with one request. It looks at them,
// asks the guard, and removes what that lets go, in sets that take a moment each.
type GuardedBlobs interface {
	// RemoveGuarded is Remove, and says nothing of what the guard does not let go.
	RemoveGuarded(ctx context.Context, names []string, guard BlobGuard) (failed map[string]error, err error)
}
