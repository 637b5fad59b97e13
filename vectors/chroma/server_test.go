package chroma_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

func newServer(t testing.TB, options chroma.HTTPOptions) *chroma.Server {
	t.Helper()
	store, err := chroma.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// The suite, against a real server.
func TestServerSuite(t *testing.T) {
	t.Parallel()
	server := testenv.StartChroma(t, testenv.MemoryDir(t)).URL()
	t.Run("all", func(t *testing.T) {
		vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
			a := newDatabase(t, server)
			return vectorstest.Fixture{
				Store:  newServer(t, chroma.HTTPOptions{URL: server, Database: a.database}),
				Insert: a.insert, Left: a.left, Drop: a.drop, Takes: takesName.MatchString,
			}
		})
	})
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	server := testenv.StartChroma(t, testenv.MemoryDir(t))
	a := newDatabase(t, server.URL())
	f := vectorstest.Fixture{Store: newServer(t, chroma.HTTPOptions{URL: a.server, Database: a.database}), Insert: a.insert, Left: a.left}
	vectorstest.SurviveKill(t, f, func() { require.NoError(t, server.Crash()) }, func() { require.NoError(t, server.Recover()) })
}

// More than a page of everything: chunks, files, collections.
func TestServerPages(t *testing.T) {
	t.Parallel()
	server := testenv.StartChroma(t, testenv.MemoryDir(t)).URL()
	a := newDatabase(t, server)
	store := newServer(t, chroma.HTTPOptions{URL: server, Database: a.database})
	file, other := uuid.NewString(), uuid.NewString()
	var chunks []vectorstest.Chunk
	for n := range 2500 {
		chunks = append(chunks, vectorstest.Chunk{ID: fmt.Sprint("a", n), Collection: vectorstest.Base, FileID: file})
	}
	chunks = append(chunks, vectorstest.Chunk{ID: "b", Collection: vectorstest.Base, FileID: other})
	a.insert(t, chunks...)
	for n := range 501 {
		a.create(t, fmt.Sprintf("file-empty-%d", n))
	}
	found := map[string]int64{}
	for f, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		found[f.ID] += f.Chunks
	}
	require.Len(t, found, 503)
	require.EqualValues(t, 2500, found[file])
	require.EqualValues(t, 1, found[other])

	list, err := store.Collections(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, []vectors.Collection{{Name: vectorstest.Base, Chunks: 2500}}, list)
	ids := []string{file}
	for n := range 501 {
		ids = append(ids, fmt.Sprintf("empty-%d", n))
	}
	removed, err := store.Remove(t.Context(), nil, ids)
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 2500}, removed)
	require.Equal(t, []string{"b"}, a.left(t))
	require.Len(t, a.collections(t), 1)
}

const secret = "s3cr3t-and-more"

// guarded lets through what carries the right credentials, and quotes the
// wrong ones, as a proxy may.
func guarded(t *testing.T, server string, right func(*http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(server)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !right(r) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"AuthError","message":"not with %q %q"}`, r.Header.Get("Authorization"), r.Header.Get("X-Key"))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(guard.Close)
	return guard.URL
}

func TestServerCredentials(t *testing.T) {
	t.Parallel()
	server := testenv.StartChroma(t, testenv.MemoryDir(t)).URL()
	header := func(name, value string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.Header.Get(name) == value }
	}
	basic := func(r *http.Request) bool {
		name, password, ok := r.BasicAuth()
		return ok && name == "me" && password == secret
	}
	for name, c := range map[string]struct {
		right   func(*http.Request) bool
		options chroma.HTTPOptions
	}{
		"token":  {header("Authorization", "Bearer "+secret), chroma.HTTPOptions{Token: secret}},
		"basic":  {basic, chroma.HTTPOptions{UserPassword: "me:" + secret}},
		"header": {header("X-Key", secret), chroma.HTTPOptions{Headers: map[string]string{"X-Key": secret}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.URL = guarded(t, server, c.right)
			require.NoError(t, newServer(t, c.options).Check(t.Context()))
			require.NotContains(t, fmt.Sprint(newServer(t, c.options)), secret)

			c.options.URL = guarded(t, server, func(*http.Request) bool { return false })
			err := newServer(t, c.options).Check(t.Context())
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, "401")
			require.NotContains(t, err.Error(), secret)
		})
	}
	t.Run("in the address", func(t *testing.T) {
		address, err := url.Parse(guarded(t, server, basic))
		require.NoError(t, err)
		address.User = url.UserPassword("me", secret)
		store := newServer(t, chroma.HTTPOptions{URL: address.String()})
		require.NoError(t, store.Check(t.Context()))
		require.NotContains(t, fmt.Sprint(store), secret)
	})
}

// What cannot be reached, or is not what it should be, is nobody's fault, and
// is never taken for an empty store.
func TestServerUnusable(t *testing.T) {
	t.Parallel()
	running := testenv.StartChroma(t, testenv.MemoryDir(t)).URL()
	answering := func(status int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, options := range map[string]chroma.HTTPOptions{
		"away":             {URL: closed.URL},
		"another server":   {URL: answering(http.StatusNotFound, "404 page not found")},
		"another answer":   {URL: answering(http.StatusOK, `<html>`)},
		"elsewhere":        {URL: answering(http.StatusMovedPermanently, "")},
		"broken":           {URL: answering(http.StatusInternalServerError, `{"error":"x","message":"boom"}`)},
		"no such database": {URL: running, Database: "nowhere"},
		"no such tenant":   {URL: running, Tenant: "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newServer(t, options)
			_, err := store.Remove(t.Context(), nil, []string{"a"})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			for _, err = range store.Files(t.Context()) {
				require.ErrorIs(t, err, vectors.ErrUnusable)
			}
			require.Error(t, err)
			_, err = store.Collections(t.Context(), "a")
			require.ErrorIs(t, err, vectors.ErrUnusable)
			_, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
			require.ErrorIs(t, err, vectors.ErrUnusable)
			_, err = store.RemovePoints(t.Context(), nil, vectorstest.Base, []string{"a"}, vectors.AllowAll)
			require.ErrorIs(t, err, vectors.ErrUnusable)
			err = nil
			for _, err = range store.ListCollections(t.Context()) {
				require.ErrorIs(t, err, vectors.ErrUnusable)
			}
			require.Error(t, err)
			err = nil
			for _, err = range store.ListPoints(t.Context(), []string{vectorstest.Base}) {
				require.ErrorIs(t, err, vectors.ErrUnusable)
			}
			require.Error(t, err)
		})
	}
}

func TestServerEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	require.ErrorIs(t, newServer(t, chroma.HTTPOptions{URL: silent.URL}).Check(ctx), context.Canceled)
}

func TestServerAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "chroma:8000", "ftp://me:" + secret + "@chroma", "http://", "http://me:" + secret + "@chroma:port"} {
		_, err := chroma.New(t.Context(), chroma.HTTPOptions{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), secret)
	}
	_, err := chroma.New(t.Context(), chroma.HTTPOptions{URL: "http://chroma", UserPassword: secret})
	require.ErrorContains(t, err, "user:password")
	require.NotContains(t, err.Error(), secret)
}
