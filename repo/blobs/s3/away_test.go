package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/s3"
	"pruned/repo/testenv"
)

func requireAway(t *testing.T, err error, msg string) {
	t.Helper()
	require.Error(t, err, msg)
	require.Equal(t, repo.Environment, repo.KindOf(err), "%s: no file is to blame: %v", msg, err)
}

func listError(store *bucket.Store, t *testing.T) (failed error) {
	t.Helper()
	for _, err := range store.List(t.Context()) {
		failed = err
	}
	return failed
}

// askAll asks everything of a store that cannot answer.
func askAll(t *testing.T, store *bucket.Store) {
	t.Helper()
	_, found := store.Find(t.Context(), []string{id})
	_, _, seen := store.Stat(t.Context(), id+"_a")
	_, removed := store.Remove(t.Context(), []string{id + "_a"})
	requireAway(t, found, "find")
	requireAway(t, seen, "stat")
	requireAway(t, removed, "remove")
	requireAway(t, listError(store, t), "list")
	requireAway(t, store.Check(t.Context()), "check")
}

// Of what cannot be asked nothing is gone: a key that is wrong, a bucket that is not there.
func TestNothingIsGoneThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.putCopy(t, id+"_a", id+"_a")
	for name, change := range map[string]func(*s3.Options){
		"wrong secret": func(o *s3.Options) { o.SecretKey = "wrong" },
		"wrong key":    func(o *s3.Options) { o.AccessKey = "nobody" },
		"no bucket":    func(o *s3.Options) { o.Bucket = "b" + uuid.NewString() },
	} {
		t.Run(name, func(t *testing.T) {
			options := w.options
			change(&options)
			askAll(t, w.reopen(t, options))
		})
	}
	require.Equal(t, []string{id + "_a"}, w.keys(t))
	require.Equal(t, []string{id + "_a"}, w.copies(t))
}

// A key that may only read is told which right it lacks, and refuses nothing but what it
// was asked for.
func TestKeyThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.putCopy(t, id+"_a", id+"_a")
	options := w.options
	options.AccessKey = testenv.S3ReadOnlyKey
	reader := w.reopen(t, options)
	err := reader.Check(t.Context())
	requireAway(t, err, "check")
	require.ErrorContains(t, err, "s3:DeleteObject")
	failed, err := reader.Remove(t.Context(), []string{id + "_a"})
	require.NoError(t, err)
	require.ErrorIs(t, failed[id+"_a"], bucket.ErrRefused)
	require.ErrorContains(t, failed[id+"_a"], "s3:DeleteObject")
	require.Equal(t, []string{id + "_a"}, w.keys(t))
	require.Equal(t, []string{id + "_a"}, w.copies(t))
}

// A server that dies under a removal and comes back: nothing is gone before it is.
func TestServerThatIsKilled(t *testing.T) {
	t.Parallel()
	server := testenv.StartS3(t)
	client, err := server.Client()
	require.NoError(t, err)
	require.NoError(t, client.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}))
	w := &world{client: client, uploads: t.TempDir(), options: s3.Options{
		Endpoint: "http://" + server.Endpoint(), Bucket: "bucket", AccessKey: testenv.S3AccessKey, SecretKey: testenv.S3SecretKey,
	}}
	w.Store = w.reopen(t, w.options)
	w.putCopy(t, id+"_a", id+"_a")
	server.Kill(t)
	askAll(t, w.Store)
	require.Equal(t, []string{id + "_a"}, w.copies(t))
	server.Restart(t)
	w.remove(t, id+"_a")
	require.Empty(t, w.keys(t))
	require.Empty(t, w.copies(t))
}

// between stands between the store and its server, and gives change every answer.
func between(t *testing.T, w *world, change func(*http.Response) error) *bucket.Store {
	t.Helper()
	target, err := url.Parse(w.options.Endpoint)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = change
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	options := w.options
	options.Endpoint = front.URL
	return w.reopen(t, options)
}

// A page that ends in its middle, or the one after it that fails, is an error and no end.
func TestHalfAListing(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.putMany(t, 1500)
	var cut atomic.Bool
	cut.Store(true)
	var pages atomic.Int64
	store := between(t, w, func(r *http.Response) error {
		if r.Request.URL.Query().Get("list-type") == "" {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if cut.Load() {
			body = body[:len(body)/2]
		} else if pages.Add(1) > 1 {
			r.StatusCode, body = http.StatusForbidden, []byte(`<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	})
	requireAway(t, listError(store, t), "half a page")
	cut.Store(false)
	requireAway(t, listError(store, t), "a page and an error")
	_, err := store.Find(t.Context(), []string{id})
	requireAway(t, err, "find")
}

// What a server says to slow us down is waited out.
func TestSlowDown(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.put(t, id+"_a", "bytes")
	var refused atomic.Int64
	store := between(t, w, func(r *http.Response) error {
		if r.Request.Method == http.MethodHead && refused.Add(1) <= 3 {
			r.StatusCode = []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError}[refused.Load()-1]
			r.Body, r.ContentLength = http.NoBody, 0
			r.Header.Del("Content-Length")
		}
		return nil
	})
	_, there, err := store.Stat(t.Context(), id+"_a")
	require.NoError(t, err)
	require.True(t, there)
}

// Times are the server's: a clock that is behind makes nothing old.
func TestAgesAreByTheServersClock(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.put(t, id+"_a", "bytes")
	ahead := 48 * time.Hour
	store := between(t, w, func(r *http.Response) error {
		r.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		return nil
	})
	blob, _, err := store.Stat(t.Context(), id+"_a")
	require.NoError(t, err)
	require.InDelta(t, ahead, blob.Age, float64(time.Minute))
}

// putMany stores objects of other, many at once.
func (w *world) putMany(t *testing.T, n int) {
	t.Helper()
	var running sync.WaitGroup
	failed := make(chan error, 16)
	for worker := range 16 {
		running.Go(func() {
			for i := worker; i < n; i += 16 {
				_, err := w.client.PutObject(t.Context(), w.options.Bucket, fmt.Sprintf("%s_%06d", other, i), strings.NewReader("bytes"), 5, minio.PutObjectOptions{DisableMultipart: true})
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	running.Wait()
	close(failed)
	require.NoError(t, <-failed)
}
