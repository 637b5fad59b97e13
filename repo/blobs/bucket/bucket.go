// Package bucket keeps the bytes of files in a bucket of a server, with the copies that
// Open WebUI leaves of them in its upload folder (STORAGE_LOCAL_CACHE).
//
// Its central idea is that no answer to a removal is believed: gone is what a second look
// does not find, in a bucket that is there. It knows a server by the few requests of
// Client, and rows not at all.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"pruned/repo"
	"pruned/repo/blobs/local"
	"pruned/repo/openwebui"
)

// Object is one of the bucket's.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time // by the server's clock
}

// Client is what a server is asked. A failure that concerns one object alone wraps
// ErrRefused; every other one is the server's.
type Client interface {
	// List lists the objects whose keys begin with prefix, page by page. The sequence
	// ends with its first error.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	// Stat looks at an object. That there is none is no word about the bucket.
	Stat(ctx context.Context, key string) (o Object, there bool, err error)
	// Get begins to read an object; nil where there is none, which is no word about the
	// bucket.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Remove removes an object that was seen; one that is gone by now was removed.
	Remove(ctx context.Context, key string) error
	// CheckBucket fails where the bucket is not there, or cannot be asked.
	CheckBucket(ctx context.Context) error
	// CheckRemove fails where objects like key, which is none, could not be removed.
	CheckRemove(ctx context.Context, key string) error
	Close() error
}

// Batched is a Client that removes many objects with one request.
type Batched interface {
	// RemoveBatch asks for the removal of no more than MaxBatch objects, whose keys are
	// plain. refused says of some why they stay, by key. ErrBatchRefused as a whole says
	// that each has to be asked for alone.
	RemoveBatch(ctx context.Context, keys []string) (refused map[string]error, err error)
	MaxBatch() int
}

// Seeker is a Client that lists from the middle of a bucket.
type Seeker interface {
	// ListAfter lists as List does, the objects whose keys are greater than after.
	ListAfter(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
}

// Versioned is a Client whose bucket keeps what is removed.
type Versioned interface {
	// RemoveVersions removes all versions of one object for good.
	RemoveVersions(ctx context.Context, key string) error
}

// ErrRefused says that the server keeps one object, and may let others go.
var ErrRefused = errors.New("the store does not let it go")

// ErrBatchRefused says that the server does not take a request about many objects.
var ErrBatchRefused = errors.New("the store takes no request about many objects")

// Options are what is known of a bucket.
type Options struct {
	Client Client
	Clock  *Clock
	// Name says which bucket of which server it is.
	Name string
	// Root is what the paths of rows begin with, up to the key.
	Root string
	// Prefix is what the application puts before the names of objects.
	Prefix string
	// Copies is the upload folder; nil where it cannot be reached.
	Copies *local.Store
	// Versions: what is removed is removed with all its versions.
	Versions bool
}

// Store is a bucket.
type Store struct {
	Options
	prefix  string // of keys: with a slash at its end, or empty
	closed  atomic.Bool
	setSize atomic.Int64 // how many go at once; see resize
}

var _ repo.Blobs = (*Store)(nil)

// New returns the store, and asks nobody.
func New(o Options) *Store {
	s := &Store{Options: o}
	if prefix := strings.Join(strings.FieldsFunc(o.Prefix, func(r rune) bool { return r == '/' }), "/"); prefix != "" {
		s.prefix = prefix + "/" // "team" must not match "team2"
	}
	return s
}

// Info says nothing of whose the bucket is: a copy of the database would show the same.
func (s *Store) Info() repo.StoreInfo { return repo.StoreInfo{Name: s.Name} }

// Close closes it, and the folder of copies.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.Copies == nil {
		return s.Client.Close()
	}
	return errors.Join(s.Client.Close(), s.Copies.Close())
}

var errClosed = errors.New("it was closed")

// fail translates a failure of the server, if there is one, which is no file's fault.
func (s *Store) fail(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	return repo.StoreError(ctx, doing+" in "+s.Name, err, true)
}

func (s *Store) checkOpen(doing string) error {
	if s.closed.Load() {
		return repo.EnvironmentError(doing+" in "+s.Name, errClosed)
	}
	return nil
}

// NameOf is the key that a path names in this bucket. A path of the local provider names a
// file in the upload folder, which is called as the copy of an object, if the application
// named it: an object called "report.pdf" may be anybody's. What names another bucket, or
// such a file, gives a name by which whoever asks for it is refused.
func (s *Store) NameOf(path string) string {
	if key, is := strings.CutPrefix(path, s.Root); is && checkKey(key) == nil {
		return key
	}
	base := openwebui.BaseName(path)
	switch {
	case base == "" || strings.Contains(path, "://"):
		return path
	case openwebui.ObjectFile(base) == "":
		return "/" + strings.TrimLeft(path, "/")
	}
	return s.prefix + base
}

// checkKey refuses what servers read as another key: some trim a slash at the start,
// some merge two or follow dots.
func checkKey(key string) error {
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("%w: %q", repo.ErrOutside, key)
		}
	}
	if len(key) > maxKey || strings.ToValidUTF8(key, "") != key || strings.ContainsRune(key, 0) {
		return fmt.Errorf("%w: %q", repo.ErrOutside, key)
	}
	return nil
}

// maxKey is the longest key that servers take, in bytes.
const maxKey = 1024

// copyOfKey is what the application calls its copy of an object; empty where that cannot be
// told: where a server lists a backslash as a slash, the last part of a key is no name.
func (s *Store) copyOfKey(key string) string {
	rest := strings.TrimPrefix(key, s.prefix)
	base := openwebui.BaseName(rest)
	if rest == base || openwebui.ObjectFile(rest) == "" && openwebui.ObjectFile(base) != "" {
		return base
	}
	return ""
}
