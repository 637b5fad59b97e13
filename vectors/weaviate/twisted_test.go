package weaviate_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
	"pruned/vectors/weaviate"
)

const secret = "s3cr3t-and-more"

// twist is a proxy that passes everything on, until answer says otherwise: n counts the
// requests whose method and path begin so.
func (a *api) twist(t *testing.T, begin string, answer func(n int, w http.ResponseWriter) (done bool)) *weaviate.Store {
	t.Helper()
	behind := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", a.port)}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Header.Del("Authorization")
	}}
	var mutex sync.Mutex
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Method+" "+r.URL.Path, begin) {
			mutex.Lock()
			n++
			now := n
			mutex.Unlock()
			if answer(now, w) {
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(address.Port())
	require.NoError(t, err)
	return newStore(t, weaviate.Options{Host: address.Hostname(), Port: port, APIKey: secret})
}

func say(status int, text string) func(int, http.ResponseWriter) bool {
	return func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(status)
		fmt.Fprint(w, text)
		return true
	}
}

// after is another answer from the n-th on.
func after(n int, answer func(int, http.ResponseWriter) bool) func(int, http.ResponseWriter) bool {
	return func(now int, w http.ResponseWriter) bool { return now >= n && answer(now, w) }
}

// What a server answers that is read-only, without rights, of another kind, that loses the
// rest of a page or lies: it is the store's own fault, nothing is taken for gone, and no
// secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	needServer(t)
	for name, c := range map[string]struct {
		begin  string
		answer func(int, http.ResponseWriter) bool
		want   string
	}{
		"says that it deleted":    {"DELETE /v1/batch", say(200, `{"results":{"matches":3,"successful":3,"failed":0}}`), "does not delete"},
		"says that it dropped":    {"DELETE /v1/schema", say(200, ""), "said that it dropped it"},
		"read-only":               {"DELETE /v1/batch", say(500, `{"error":[{"message":"store is read-only"}]}`), "read-only"},
		"no right to delete":      {"DELETE /v1/batch", say(403, `{"error":[{"message":"forbidden: `+secret+`"}]}`), "WEAVIATE_API_KEY wants"},
		"no class at all, a page": {"GET /v1/schema", say(200, "<html>"), "list the classes"},
		"half of the classes":     {"GET /v1/schema", say(200, `{"classes":[{"class":"A"}`), "list the classes"},
		"another program":         {"GET /v1/schema", say(404, ""), "404"},
		"goes somewhere else":     {"GET /v1/schema", say(302, ""), "302"},
		"an error for a page":     {"POST /v1/graphql", after(2, say(200, `{"data":{"Get":{"X":null}},"errors":[{"message":"shard is loading"}]}`)), "shard is loading"},
		"another class":           {"POST /v1/graphql", after(2, say(200, `{"data":{"Get":{"Other":[]}}}`)), "another class"},
		"half an answer":          {"POST /v1/graphql", after(2, say(200, `{"data":{"Get":{"`)), "read the answer"},
		"objects without ids":     {"POST /v1/graphql", after(2, say(200, `{"data":{"Get":{"`+className(vectorstest.Base)+`":[{"file_id":"f"}]}}}`)), "without an id"},
		"always busy":             {"GET /v1/schema", say(429, "too many requests"), "too many requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newServer(t)
			file := uuid.NewString()
			a.insert(t, append(vectorstest.MakeChunks(3, vectors.FileCollection(file), file), vectorstest.MakeChunks(3, vectorstest.Base, file)...)...)
			store := a.twist(t, c.begin, c.answer)
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

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	store := newStore(t, weaviate.Options{Host: "127.0.0.1", Port: testenv.FreePort(t)})
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	_, err := store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	_, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
	require.ErrorIs(t, err, vectors.ErrUnusable)
	_, err = store.RemovePoints(t.Context(), nil, vectorstest.Base, []string{uuid.NewString()}, vectors.AllowAll)
	require.ErrorIs(t, err, vectors.ErrUnusable)
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"", "http://weaviate", "u:" + secret + "@weaviate"} {
		_, err := weaviate.New(t.Context(), weaviate.Options{Host: host, Port: 1})
		require.Error(t, err, host)
		require.NotContains(t, err.Error(), secret)
	}
	require.Equal(t, "weaviate at [::1]:8080", newStore(t, weaviate.Options{Host: "::1", Port: 8080}).Info().Name)
}
