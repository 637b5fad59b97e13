package qdrant_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/qdrant"
	"pruned/vectors/vectorstest"
)

const secret = "s3cr3t-and-more"

// twist is a proxy that passes everything on, unless answer has answered.
func (a *api) twist(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body string) (done bool)) *qdrant.Store {
	t.Helper()
	behind, err := url.Parse(a.url)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	var mutex sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a client that is gone gets no answer
		r.Body = io.NopCloser(bytes.NewReader(body))
		mutex.Lock()
		done := answer(w, r, string(body))
		mutex.Unlock()
		if !done {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	options := a.options()
	options.URL, options.APIKey = server.URL, secret
	return newStore(t, options)
}

// What a server answers that is read-only, without rights, of another kind, that loses the
// rest of a page or lies: it is the store's own fault, nothing is taken for gone, and no
// secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin  string // of the method and path of the requests that are answered otherwise
		end    string
		from   int // the first of these
		status int
		answer string
		want   string
	}{
		"says that it deleted":         {"POST ", "/points/delete", 1, 200, `{"result":{"operation_id":0,"status":"completed"},"status":"ok"}`, "does not delete"},
		"says that it dropped":         {"DELETE ", "", 1, 200, `{"result":true,"status":"ok"}`, "said that it dropped it"},
		"read-only":                    {"POST ", "/points/delete", 1, 500, `{"status":{"error":"Service internal error: read-only"}}`, "read-only"},
		"no right to delete":           {"POST ", "/points/delete", 1, 403, `{"status":{"error":"Forbidden: ` + secret + `"}}`, "QDRANT_API_KEY wants"},
		"does not say what it shows":   {"GET /collections/", "/exists", 1, 200, `{}`, "does not say"},
		"shows a page":                 {"GET /collections", "", 2, 200, `<html>`, "list the collections"},
		"half of the collections":      {"GET /collections", "", 2, 200, `{"result":{"collections":[{"name":"a"}`, "list the collections"},
		"no collections at all":        {"GET /collections", "", 2, 200, `{"result":null}`, "does not list its collections"},
		"no aliases at all":            {"GET /aliases", "", 1, 200, `{}`, "does not list its aliases"},
		"another program":              {"GET /collections", "", 1, 404, ``, "404"},
		"goes somewhere else":          {"GET /collections", "", 2, 302, ``, "302"},
		"a proxy's no":                 {"POST ", "/points/scroll", 1, 404, `nothing here`, "404"},
		"no points at all":             {"POST ", "/points/scroll", 1, 200, `{"result":null}`, "does not list the points"},
		"half a page":                  {"POST ", "/points/scroll", 1, 200, `{"result":{"points":[{"id":7`, "read the answer"},
		"points without ids":           {"POST ", "/points/scroll", 1, 200, `{"result":{"points":[{"payload":{}}],"next_page_offset":null}}`, "without an id"},
		"the same page, for ever":      {"POST ", "/points/scroll", 1, 200, `{"result":{"points":[],"next_page_offset":7}}`, "same page again"},
		"a replica is away":            {"POST ", "/points/scroll", 1, 500, `{"status":{"error":"Service internal error: 1 of 2 read operations failed"}}`, "read operations failed"},
		"counts nothing":               {"POST ", "/points/count", 1, 200, `{}`, "does not count"},
		"always busy, and says so":     {"GET /collections", "", 1, 429, `too many requests`, "too many requests"},
		"strict about what is indexed": {"POST ", "/points/scroll", 1, 400, `{"status":{"error":"Bad request: Index required but not found"}}`, "Index required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Without multitenancy a file's own collection is dropped, and chunks are deleted.
			a := newAPI(t, false)
			file := uuid.NewString()
			a.insert(t, slices.Concat(vectorstest.MakeChunks(3, vectors.FileCollection(file), file), vectorstest.MakeChunks(3, vectorstest.Base, file))...)
			n := 0
			store := a.twist(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
				if !strings.HasPrefix(r.Method+" "+r.URL.Path, c.begin) || !strings.HasSuffix(r.URL.Path, c.end) {
					return false
				}
				if n++; n < c.from {
					return false
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
				return true
			})
			_, err := store.Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, fmt.Sprint(store), secret)

			_, err = a.store(t).Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, err)
			require.Empty(t, a.left(t))
		})
	}
}

// A server that has too much to do is asked again.
func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	a := newAPI(t, true)
	file := uuid.NewString()
	a.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, file)...)
	busy := true
	store := a.twist(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if !busy || !strings.HasSuffix(r.URL.Path, "/points/delete") {
			return false
		}
		busy = false
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks)
	require.False(t, busy)
	require.Empty(t, a.left(t))
}

// No deletion has a filter, none is of no points, each is waited for; a look sees what any
// replica still has; a question has no filter without a condition; the five collections of
// multitenancy are never dropped.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, a *api) {
		file := uuid.NewString()
		memory := "user-memory-" + file
		points, nobodys := vectorstest.MakeChunks(3, memory, ""), vectorstest.MakeChunks(1, vectorstest.Base, "")
		a.insert(t, slices.Concat(vectorstest.MakeChunks(3, vectors.FileCollection(file), file), vectorstest.MakeChunks(3, vectorstest.Base, file), points, nobodys)...)
		deleted, dropped := 0, 0
		store := a.twist(t, func(_ http.ResponseWriter, r *http.Request, body string) bool {
			var in map[string]json.RawMessage
			_ = json.Unmarshal([]byte(body), &in)
			switch {
			case r.Method == http.MethodDelete:
				dropped++
			case strings.HasSuffix(r.URL.Path, "/points/delete"):
				deleted++
				if len(in) != 1 || len(in["points"]) < 3 || r.URL.RawQuery != "wait=true&ordering=strong" {
					t.Errorf("sent %s, %s", r.URL, body)
				}
			case strings.HasSuffix(r.URL.Path, "/points/scroll"):
				if string(in["filter"]) == "{}" || strings.Contains(body, "[]") || r.URL.RawQuery != "" {
					t.Errorf("sent %s, %s", r.URL, body)
				}
			}
			return false
		})
		_, err := store.Remove(t.Context(), nil, []string{file, "", "\xff"})
		require.NoError(t, err)
		_, err = store.RemovePoints(t.Context(), nil, memory, []string{points[0].ID, "", "no-uuid", strings.ToUpper(points[1].ID)}, vectors.AllowAll)
		require.NoError(t, err)
		for _, none := range [][]string{nil, {""}, {"\xff"}} {
			_, err = store.Remove(t.Context(), nil, none)
			require.NoError(t, err)
			_, err = store.RemovePoints(t.Context(), nil, memory, none, vectors.AllowAll)
			require.NoError(t, err)
		}
		require.ElementsMatch(t, []string{points[1].ID, points[2].ID, nobodys[0].ID}, a.left(t))
		if a.multitenancy {
			require.Zero(t, dropped)
			require.Equal(t, 3, deleted)
		} else {
			require.Equal(t, 1, dropped)
			require.Equal(t, 2, deleted)
		}
	})
}
