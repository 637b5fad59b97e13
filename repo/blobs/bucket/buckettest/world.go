package buckettest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
	"pruned/repo/testenv"
)

// The files whose objects the cases know.
const (
	ID    = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	Other = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c12"
)

// World is a bucket of its own with a folder of copies, and the ways round the store.
type World struct {
	*bucket.Store
	Bucket  testenv.Bucket
	Uploads string
	options Options
}

// NewBucketName is one that every server takes.
func NewBucketName() string { return "b" + strings.ReplaceAll(uuid.NewString(), "-", "") }

// NewWorld makes a bucket on the server that the tests of a process share.
func NewWorld(t testing.TB, provider string, o Options) *World {
	t.Helper()
	b, err := testenv.SharedBytes(t, provider).MakeBucket(t.Context(), NewBucketName())
	require.NoError(t, err)
	w := &World{Bucket: b, Uploads: t.TempDir(), options: o}
	w.Store = w.Reopen(t, o)
	return w
}

// Reopen opens the same bucket as others may.
func (w *World) Reopen(t testing.TB, o Options) *bucket.Store {
	t.Helper()
	var err error
	o.Copies, err = local.Open(w.Uploads)
	require.NoError(t, err)
	store, err := Open(t.Context(), w.Bucket, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// Put writes an object.
func (w *World) Put(t testing.TB, key, content string) {
	t.Helper()
	require.NoError(t, w.Bucket.Put(t.Context(), key, []byte(content)))
}

// PutCopy stores an object as the application does: with a copy in its upload folder.
func (w *World) PutCopy(t testing.TB, key, base string) {
	t.Helper()
	w.Put(t, key, "bytes")
	require.NoError(t, os.WriteFile(filepath.Join(w.Uploads, base), bytes.Repeat([]byte("c"), 7), 0o600))
}

// Keys are those of all objects, in order.
func (w *World) Keys(t testing.TB) []string {
	t.Helper()
	keys, err := w.Bucket.Keys(t.Context())
	require.NoError(t, err)
	return keys
}

// CopyNames are the names in the folder of copies, in order.
func (w *World) CopyNames(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(w.Uploads)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// NamesOf are what the store finds of a file.
func (w *World) NamesOf(t testing.TB, id string) (names []string) {
	t.Helper()
	found, err := w.Find(t.Context(), []string{id})
	require.NoError(t, err)
	for _, blob := range found[id] {
		names = append(names, blob.Name)
	}
	return names
}

// Listed are the names that the store lists.
func (w *World) Listed(t testing.TB) (names []string) {
	t.Helper()
	for one, err := range w.List(t.Context()) {
		require.NoError(t, err)
		names = append(names, one.Name)
	}
	return names
}

// RemoveAll removes objects, all of which may go.
func (w *World) RemoveAll(t testing.TB, names ...string) {
	t.Helper()
	failed, err := w.Remove(t.Context(), names)
	require.NoError(t, err)
	require.Empty(t, failed)
}

// Front stands before a server.
type Front struct {
	// Answer answers in its place, if it returns true.
	Answer func(http.ResponseWriter, *http.Request) bool
	// Change changes what it answers.
	Change func(*http.Response) error
}

// Behind opens the bucket through a front.
func (w *World) Behind(t testing.TB, f Front) *bucket.Store {
	t.Helper()
	var proxy *httputil.ReverseProxy
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if f.Answer == nil || !f.Answer(rw, r) {
			proxy.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(front.Close)
	o := w.options
	o.Change = func(set map[string]string) {
		for _, name := range []string{"S3_ENDPOINT_URL", "STORAGE_EMULATOR_HOST", "AZURE_STORAGE_ENDPOINT"} {
			u, err := url.Parse(set[name])
			if err != nil || u.Host == "" {
				continue
			}
			proxy = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
			proxy.ModifyResponse, proxy.ErrorLog = f.Change, log.New(io.Discard, "", 0)
			set[name] = front.URL + u.Path
		}
	}
	return w.Reopen(t, o)
}

// RequireAway wants an error for which no file is to blame.
func RequireAway(t testing.TB, err error, msg string) {
	t.Helper()
	require.Error(t, err, msg)
	require.Equal(t, repo.Environment, repo.KindOf(err), "%s: no file is to blame: %v", msg, err)
}

// ListError is how a listing ends.
func ListError(t testing.TB, store *bucket.Store) (failed error) {
	t.Helper()
	for _, err := range store.List(t.Context()) {
		failed = err
	}
	return failed
}

// RequireAllAway asks everything of a store that cannot answer.
func RequireAllAway(t testing.TB, store *bucket.Store, key string) {
	t.Helper()
	var running sync.WaitGroup
	var errs [5]error
	for i, ask := range []func() error{
		func() error { _, err := store.Find(t.Context(), []string{ID}); return err },
		func() error { _, _, err := store.Stat(t.Context(), key); return err },
		func() error { _, err := store.Remove(t.Context(), []string{key}); return err },
		func() error { return ListError(t, store) },
		func() error { return store.Check(t.Context()) },
	} {
		running.Go(func() { errs[i] = ask() })
	}
	running.Wait()
	for i, what := range []string{"find", "stat", "remove", "list", "check"} {
		RequireAway(t, errs[i], what)
	}
}
