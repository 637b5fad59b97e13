package opensearch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/opensearch"
	"pruned/vectors/vectorstest"
)

// What no refresh has shown yet goes, too, and what no filter finds: a value that is too long
// for it, one in a field that took the first for a date.
func TestWhatNoFilterFinds(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	long := strings.Repeat("long", 100)
	other := uuid.NewString()
	a.create(t, indexName(vectorstest.Base))
	a.create(t, indexName(other))
	a.insertDocuments(t, indexName(vectorstest.Base), append(vectorstest.MakeChunks(2, vectorstest.Base, "report"), vectorstest.MakeChunks(2, vectorstest.Base, long)...))
	stays := vectorstest.MakeChunks(1, vectorstest.Base, long+"x")
	a.insertDocuments(t, indexName(vectorstest.Base), stays)
	a.insertDocuments(t, indexName(other), append(vectorstest.MakeChunks(1, other, "2024-01-01"), vectorstest.MakeChunks(1, other, "2024-01-02")...))
	removed, err := a.store(t).Remove(t.Context(), nil, []string{"report", long, "2024-01-02"})
	require.NoError(t, err)
	require.EqualValues(t, 5, removed.Chunks)
	require.Len(t, a.left(t), 2)
}

// A name is never a pattern: nothing goes by one that only looks like others'.
func TestNamesAreNoPatterns(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	chunks := append(vectorstest.MakeChunks(1, "user-memory-"+uuid.NewString(), ""), vectorstest.MakeChunks(1, vectors.FileCollection(uuid.NewString()), "")...)
	a.insert(t, chunks...)
	_, err := a.store(t).RemoveCollections(t.Context(), nil, []string{"user-memory-*", "user-memory-a,_all", "web-search-*"}, vectors.AllowAll)
	require.NoError(t, err)
	_, err = a.store(t).Remove(t.Context(), nil, []string{"*", "_all", "?", ".."})
	require.NoError(t, err)
	require.Len(t, a.left(t), 2)
}

// Indexes of others are neither told nor touched where they have another prefix, nor is what
// another name stands for.
func TestOthersKeepTheirs(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	file := uuid.NewString()
	a.create(t, "logs")
	a.create(t, "open_webuix_"+file)
	a.call(t, http.MethodPost, "_aliases", `{"actions":[{"add":{"index":"logs","alias":"open_webui_file-`+file+`"}}]}`, nil)
	a.insertDocuments(t, "logs", vectorstest.MakeChunks(2, vectors.FileCollection(file), file))
	strange, err := a.store(t).Strange(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"logs"}, strange, "it has a name of ours")
	removed, err := a.store(t).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.Zero(t, removed.Chunks)
	require.Len(t, a.left(t), 2)
}

// An index that is dropped in the midst of an upload is made again by the server, otherwise
// than the application makes it. What is stored there goes with its file, and nothing else.
func TestDropInAnUpload(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	store := a.store(t)
	file, stays := uuid.NewString(), vectorstest.MakeChunks(1, vectorstest.Base, uuid.NewString())
	own := vectors.FileCollection(file)
	a.insert(t, append(vectorstest.MakeChunks(3, own, file), vectorstest.MakeChunks(3, vectorstest.Base, file)...)...)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	a.drop(t, vectorstest.Base)

	a.insertDocuments(t, indexName(own), vectorstest.MakeChunks(3, own, file))
	a.insertDocuments(t, indexName(vectorstest.Base), append(vectorstest.MakeChunks(3, vectorstest.Base, file), stays...))
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 6, removed.Chunks)
	require.Equal(t, []string{stays[0].ID}, a.left(t))
	require.Equal(t, []string{indexName(vectorstest.Base)}, a.indexes(t))
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	testenv.NeedOpenSearch(t)
	server := testenv.StartOpenSearch(t)
	a := &api{url: server.URL()}
	f := vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left}
	vectorstest.SurviveKill(t, f, func() { server.Kill(t) }, func() {
		server.Restart(t)
		a.call(t, http.MethodGet, "_cluster/health/open_webui_*?wait_for_status=green&timeout=60s", nil, nil)
	})
}

// Read-only indexes, and closed ones, are told: nothing is taken for gone.
func TestIndexesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	file, index := uuid.NewString(), indexName(vectorstest.Base)
	a.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, file)...)
	fails := func(why string) {
		t.Helper()
		_, err := a.store(t).Remove(t.Context(), nil, []string{file})
		require.ErrorIs(t, err, vectors.ErrUnusable)
		require.ErrorContains(t, err, why)
	}
	a.call(t, http.MethodPut, index+"/_settings", `{"index.blocks.write":true}`, nil)
	fails("blocked")
	a.call(t, http.MethodPut, index+"/_settings", `{"index.blocks.write":null}`, nil)
	a.call(t, http.MethodPost, index+"/_close", nil, nil)
	fails("closed")
	a.call(t, http.MethodPost, index+"/_open", nil, nil)
	removed, err := a.store(t).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks)
}

const secret = "s3cr3t-and-more"

// What a server answers that is without rights, of another kind, that loses the rest of a
// page or lies: it is the store's own fault, nothing is taken for gone, and no secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	testenv.NeedOpenSearch(t)
	base := "/" + indexName(vectorstest.Base)
	for name, c := range map[string]struct {
		path   string // of the requests that are answered otherwise
		from   int64  // the first of these
		status int
		answer string
		want   string
	}{
		"says that it deleted":  {base + "/_bulk", 1, 200, `{"errors":false,"items":[]}`, "does not delete"},
		"no right to delete":    {base + "/_bulk", 1, 403, `{"error":"` + secret + `"}`, "OPENSEARCH_USERNAME wants"},
		"refuses one":           {base + "/_bulk", 1, 200, `{"errors":true,"items":[{"delete":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue is full"}}}]}`, "queue is full"},
		"no names at all":       {"/_resolve/index", 1, 200, `{}`, "does not list its indexes"},
		"half of the indexes":   {"/open_webui_*/_mapping", 1, 200, `{"open_webui_x":{`, "list the indexes"},
		"another program":       {"/open_webui_*/_mapping", 1, 404, `nothing here`, "404"},
		"a proxy's no":          {base + "/_refresh", 1, 404, `{"error":"no such thing"}`, "404"},
		"part of a refresh":     {base + "/_refresh", 1, 200, `{"_shards":{"total":2,"successful":1,"failed":1}}`, "has not refreshed"},
		"part of an index":      {base + "/_search", 1, 200, `{"_scroll_id":"a","timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"hits":[]}}`, "has not answered about all"},
		"late":                  {base + "/_search", 1, 200, `{"_scroll_id":"a","timed_out":true,"_shards":{"total":1,"failed":0},"hits":{"hits":[]}}`, "has not answered about all"},
		"not a search's answer": {base + "/_search", 1, 200, `{}`, "has not answered about all"},
		"another index's":       {base + "/_search", 1, 200, `{"_scroll_id":"a","timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"hits":[{"_index":"other","_id":"a"}]}}`, "none of it"},
		"nothing of a document": {base + "/_search", 1, 200, `{"_scroll_id":"a","timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"hits":[{"_index":"` + base[1:] + `","_id":"a"}]}}`, "does not say what is in document a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newServer(t)
			file := uuid.NewString()
			a.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, file)...)
			behind, err := url.Parse(a.url)
			require.NoError(t, err)
			proxy := httputil.NewSingleHostReverseProxy(behind)
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, c.path) && asked.Add(1) >= c.from {
					w.WriteHeader(c.status)
					fmt.Fprint(w, c.answer)
					return
				}
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			store := newStore(t, opensearch.Options{URL: server.URL, User: "u", Password: secret})
			_, err = store.Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)

			removed, err := a.store(t).Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, err)
			require.EqualValues(t, 3, removed.Chunks)
		})
	}
}

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	store := newStore(t, opensearch.Options{URL: fmt.Sprintf("http://127.0.0.1:%d", testenv.FreePort(t))})
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	_, err := store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
}

// A certificate is checked where the application checks it, and credentials are sent.
func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != secret {
			w.WriteHeader(http.StatusUnauthorized)
		}
		if strings.HasPrefix(r.URL.Path, "/_resolve/") {
			fmt.Fprint(w, `{"indices":[]}`)
			return
		}
		fmt.Fprint(w, "{}")
	}))
	t.Cleanup(server.Close)
	plain := strings.Replace(server.URL, "https", "http", 1)
	require.NoError(t, newStore(t, opensearch.Options{URL: server.URL, User: "u", Password: secret}).Check(t.Context()))
	require.NoError(t, newStore(t, opensearch.Options{URL: plain, Secure: true, User: "u", Password: secret}).Check(t.Context()))
	require.NoError(t, newStore(t, opensearch.Options{URL: strings.Replace(server.URL, "//", "//u:"+secret+"@", 1)}).Check(t.Context()))
	require.ErrorContains(t, newStore(t, opensearch.Options{URL: server.URL, User: "u", Password: "wrong"}).Check(t.Context()), "OPENSEARCH_USERNAME wants")
	require.ErrorContains(t, newStore(t, opensearch.Options{URL: server.URL, Verify: true}).Check(t.Context()), "certificate")
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "opensearch:9200", "ftp://u:" + secret + "@o", "http://u:" + secret + "@o:port"} {
		_, err := opensearch.New(t.Context(), opensearch.Options{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), secret)
	}
	for address, want := range map[string]string{"http://o": "opensearch at o:9200", "https://o": "opensearch at o:443", "http://u:p@o:1": "opensearch at o:1"} {
		require.Equal(t, want, newStore(t, opensearch.Options{URL: address}).Info().Name)
	}
}
