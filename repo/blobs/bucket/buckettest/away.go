package buckettest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// nothingGone: of what cannot be asked nothing is gone: a key that is wrong, a bucket that
// is not there.
func nothingGone(t *testing.T, s Server) {
	w := s.world(t)
	w.PutCopy(t, s.key(ID+"_a"), ID+"_a")
	changes := map[string]string{"S3_BUCKET_NAME": NewBucketName(), "GCS_BUCKET_NAME": NewBucketName(), "AZURE_STORAGE_CONTAINER_NAME": NewBucketName()}
	for name, value := range s.WrongKeys {
		changes[name] = value
	}
	for name, value := range changes {
		o := w.options
		there := false
		o.Change = func(set map[string]string) {
			if _, there = set[name]; there {
				set[name] = value
			}
		}
		if store := w.Reopen(t, o); there {
			RequireAllAway(t, store, s.key(ID+"_a"))
		}
	}
	require.Equal(t, []string{s.key(ID + "_a")}, w.Keys(t))
	require.Equal(t, []string{ID + "_a"}, w.CopyNames(t))
}

// serverKilled: a server that dies in the middle of a set and comes back: nothing is gone
// before it is.
func serverKilled(t *testing.T, s Server) {
	server := testenv.StartBytes(t, s.Provider)
	b, err := server.MakeBucket(t.Context(), "bucket")
	require.NoError(t, err)
	w := &World{Bucket: b, Uploads: t.TempDir(), options: Options{Prefix: s.Prefix}}
	var names []string
	for i := range 4 {
		names = append(names, s.key(fmt.Sprintf("%s_%d", ID, i)))
		w.PutCopy(t, names[i], path.Base(names[i]))
	}
	var killed atomic.Bool
	w.Store = w.Behind(t, Front{Answer: func(_ http.ResponseWriter, r *http.Request) bool {
		removes := r.Method == http.MethodDelete || r.Method == http.MethodPost
		if removes && !killed.Swap(true) {
			server.Kill(t)
		}
		return false
	}})
	_, err = w.Remove(t.Context(), names)
	RequireAway(t, err, "in the middle")
	RequireAllAway(t, w.Store, names[0])
	require.Len(t, w.CopyNames(t), 4)
	server.Restart(t)
	if s.Forgets {
		_, err := server.MakeBucket(t.Context(), "bucket")
		require.NoError(t, err)
		for _, name := range names {
			w.Put(t, name, "bytes")
		}
	}
	w.RemoveAll(t, names...)
	require.Empty(t, w.Keys(t))
	require.Empty(t, w.CopyNames(t))
}

// halfListing: a page that ends in its middle, or the one after it that fails, is an error
// and no end.
func halfListing(t *testing.T, s Server) {
	w := s.world(t)
	require.NoError(t, testenv.PutMany(t.Context(), w.Bucket, s.keysOf(max(s.Pages, 10)), []byte("bytes")))
	var cut atomic.Bool
	cut.Store(true)
	var pages atomic.Int64
	store := w.Behind(t, Front{Change: func(r *http.Response) error {
		if !s.IsPage(r.Request.URL.String()) {
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
	}})
	RequireAway(t, ListError(t, store), "half a page")
	if cut.Store(false); s.Pages > 0 {
		RequireAway(t, ListError(t, store), "a page and an error")
	}
}

// slowDown: what a server says to slow us down is waited out.
func slowDown(t *testing.T, s Server) {
	w := s.world(t)
	w.Put(t, s.key(ID+"_a"), "bytes")
	var refused atomic.Int64
	store := w.Behind(t, Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, ID) || refused.Add(1) > 3 {
			return false
		}
		rw.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError}[refused.Load()-1])
		return true
	}})
	_, there, err := store.Stat(t.Context(), s.key(ID+"_a"))
	require.NoError(t, err)
	require.True(t, there)
}

// serverClock: times are the server's: a clock that is behind makes nothing old.
func serverClock(t *testing.T, s Server) {
	w := s.world(t)
	w.Put(t, s.key(ID+"_a"), "bytes")
	ahead := 48 * time.Hour
	store := w.Behind(t, Front{Change: func(r *http.Response) error {
		r.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		return nil
	}})
	blob, _, err := store.Stat(t.Context(), s.key(ID+"_a"))
	require.NoError(t, err)
	require.InDelta(t, ahead, blob.Age, float64(time.Minute))
}

// removalNotSeen: an answer that says success while the object is there is none, and its
// copy stays.
func removalNotSeen(t *testing.T, s Server) {
	w := s.world(t)
	w.PutCopy(t, s.key(ID+"_a"), ID+"_a")
	var seen atomic.Bool
	store := w.Behind(t, Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete || seen.Load() {
			return false
		}
		status := http.StatusNoContent
		if s.Provider == "azure" {
			status = http.StatusAccepted
		}
		rw.WriteHeader(status)
		return true
	}})
	failed, err := store.Remove(t.Context(), []string{s.key(ID + "_a")})
	require.NoError(t, err)
	require.ErrorContains(t, failed[s.key(ID+"_a")], "still has it")
	require.Equal(t, repo.Permanent, repo.KindOf(failed[s.key(ID+"_a")]), "it is tried again, and others go")
	require.Equal(t, []string{ID + "_a"}, w.CopyNames(t))
	seen.Store(true)
	failed, err = store.Remove(t.Context(), []string{s.key(ID + "_a")})
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Empty(t, w.Keys(t))
	require.Empty(t, w.CopyNames(t))
}
