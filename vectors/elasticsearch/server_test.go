package elasticsearch_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/elasticsearch"
	"pruned/vectors/vectorstest"
)

// A collection has vectors of two sizes where the application was given another model: it is
// told once, with what is in both indexes, and goes from both.
func TestCollectionInTwoIndexes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	store := a.store(t)
	file := uuid.NewString()
	own, stays := vectors.FileCollection(file), vectorstest.MakeChunks(1, vectorstest.Base, uuid.NewString())
	for _, size := range []int{2, 3} {
		a.create(t, a.index(size), nil)
		a.put(t, a.index(size), append(vectorstest.MakeChunks(2, own, file), vectorstest.MakeChunks(3, vectorstest.Base, file)...)...)
	}
	a.put(t, a.index(2), stays...)
	a.left(t) // what was written is to be seen
	counted, err := store.Collections(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, []vectors.Collection{{Name: vectorstest.Base, Chunks: 6}, {Name: own, Chunks: 4}}, counted)
	var listed []string
	for one, err := range store.ListCollections(t.Context()) {
		require.NoError(t, err)
		listed = append(listed, one.Name)
	}
	require.Equal(t, []string{vectorstest.Base}, listed)
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 10, removed.Chunks)
	require.Equal(t, []string{stays[0].ID}, a.left(t))
}

// What no refresh has shown yet goes, too, and what no filter finds: a value that is longer
// than a field takes, one in a field of words or of dates, or in one that is not searched.
func TestWhatNoFilterFinds(t *testing.T) {
	t.Parallel()
	file, long := "2024-01-02", strings.Repeat("long", 100)
	for name, field := range map[string]map[string]any{
		"words":        {"type": "text"},
		"short values": {"type": "keyword", "ignore_above": 5},
		"dates":        {"type": "date", "ignore_malformed": true},
		"unsearched":   {"type": "keyword", "index": false, "doc_values": false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.create(t, a.index(2), map[string]any{"metadata": map[string]any{"properties": map[string]any{"file_id": field}}})
			stays := slices.Concat(vectorstest.MakeChunks(1, vectorstest.Base, long+"x"), vectorstest.MakeChunks(1, vectorstest.Base, "2024-01-03"))
			a.put(t, a.index(2), slices.Concat(vectorstest.MakeChunks(2, vectorstest.Base, file), vectorstest.MakeChunks(2, vectorstest.Base, long), vectorstest.MakeChunks(1, vectors.FileCollection(long), long), stays)...)
			removed, err := a.store(t).Remove(t.Context(), nil, []string{file, long})
			require.NoError(t, err)
			require.EqualValues(t, 5, removed.Chunks)
			require.ElementsMatch(t, []string{stays[0].ID, stays[1].ID}, a.left(t))
		})
	}
}

// What others keep stays whatever it says, and is told: in an index of the application's where
// it says no collection that could be one's, and in what is only named nearly so. Of other
// prefixes nothing is told.
func TestOthersKeepTheirs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	file := uuid.NewString()
	a.insert(t, append(vectorstest.MakeChunks(20, vectors.FileCollection(file), file), vectorstest.MakeChunks(20, vectorstest.Base, file)...)...)
	metadata := map[string]any{"name": "a", "file_id": file}
	a.putDocuments(t, a.index(2), map[string]any{
		"none": map[string]any{"metadata": metadata}, "list": map[string]any{"collection": []string{vectorstest.Base}, "metadata": metadata},
		"wiki": map[string]any{"collection": "wiki", "metadata": metadata}, "files": map[string]any{"collection": vectorstest.Base, "metadata": map[string]any{"name": "a", "file_id": []string{file}}},
	})
	old, other := a.prefix+"_d2_old", a.prefix+"x_d2"
	for _, name := range []string{old, other} {
		a.create(t, name, nil)
		a.put(t, name, vectorstest.MakeChunks(1, vectors.FileCollection(file), file)...)
	}
	a.call(t, http.MethodPost, "_aliases", `{"actions":[{"add":{"index":"`+other+`","alias":"`+a.prefix+`_more"}}]}`, nil)
	a.left(t) // what was written is to be seen
	store := a.store(t)
	strange, err := store.Strange(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{a.index(2) + " (points of no collection that lies there)", old, a.prefix + "_more", "wiki"}, strange)
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 40, removed.Chunks)
	require.Len(t, a.left(t), 6)
	_, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
	require.NoError(t, err)
	require.Len(t, a.left(t), 5, "without the file's name it goes with its collection")
}

// A name is never a pattern.
func TestNamesAreNoPatterns(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.insert(t, append(vectorstest.MakeChunks(1, "user-memory-"+uuid.NewString(), ""), vectorstest.MakeChunks(1, vectors.FileCollection(uuid.NewString()), "")...)...)
	_, err := a.store(t).RemoveCollections(t.Context(), nil, []string{"user-memory-*", "user-memory-a,_all", "web-search-*"}, vectors.AllowAll)
	require.NoError(t, err)
	_, err = a.store(t).Remove(t.Context(), nil, []string{"*", "_all", "?", ".."})
	require.NoError(t, err)
	require.Len(t, a.left(t), 2)
}

// Documents are deleted by their ids, of which there is one at least, and never by a query; no
// index is dropped, not even one that is empty.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	file := uuid.NewString()
	a.insert(t, append(vectorstest.MakeChunks(20, vectors.FileCollection(file), file), vectorstest.MakeChunks(20, vectorstest.Base, file)...)...)
	behind, err := url.Parse(a.url)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a client that is gone gets no answer
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case strings.Contains(r.URL.Path, "_by_query"), r.Method == http.MethodDelete && r.URL.Path != "/_search/scroll",
			strings.HasSuffix(r.URL.Path, "/_bulk") && !strings.HasPrefix(string(body), `{"delete":{"_id":"`):
			t.Errorf("sent %s %s, %s", r.Method, r.URL, body)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	store := newStore(t, elasticsearch.Options{URL: server.URL, Prefix: a.prefix})
	removed, err := store.Remove(t.Context(), nil, []string{file, "", "\xff"})
	require.NoError(t, err)
	require.EqualValues(t, 40, removed.Chunks)
	_, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
	require.NoError(t, err)
	require.Empty(t, a.left(t))
	require.ElementsMatch(t, []string{a.index(2), a.index(3)}, a.indexes(t))
}

// An index of the application's that is closed or read-only, stands for another, or is not
// mapped as the application does, is told: nothing is taken for gone.
func TestIndexesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, a *api)
		want  string
	}{
		"closed": {func(t *testing.T, a *api) {
			t.Helper()
			a.call(t, http.MethodPost, a.index(2)+"/_close", nil, nil)
		}, "_d2 closed: nothing can be found there until it is opened"},
		"read-only": {func(t *testing.T, a *api) {
			t.Helper()
			a.call(t, http.MethodPut, a.index(2)+"/_settings", `{"index.blocks.write":true}`, nil)
		}, "blocked"},
		"an alias": {func(t *testing.T, a *api) {
			t.Helper()
			a.call(t, http.MethodPost, "_aliases", `{"actions":[{"add":{"index":"`+a.index(2)+`","alias":"`+a.index(4)+`"}}]}`, nil)
		}, "_d4 as another name for an index"},
		"words": {func(t *testing.T, a *api) {
			t.Helper()
			a.call(t, http.MethodPut, a.index(4), `{"mappings":{"properties":{"collection":{"type":"text"}}}}`, nil)
		}, "_d4 without a keyword field collection"},
		"no collections": {func(t *testing.T, a *api) {
			t.Helper()
			a.call(t, http.MethodPut, a.index(4), nil, nil)
		}, "_d4 without a keyword field collection"},
		"no documents": {func(t *testing.T, a *api) {
			t.Helper()
			a.call(t, http.MethodPut, a.index(4), `{"mappings":{"_source":{"enabled":false},"properties":{"collection":{"type":"keyword"}}}}`, nil)
			a.putDocuments(t, a.index(4), map[string]any{"a": map[string]any{"collection": vectorstest.Base}})
			a.left(t) // what was written is to be seen
		}, "_source is disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			file := uuid.NewString()
			a.create(t, a.index(2), nil)
			a.put(t, a.index(2), vectorstest.MakeChunks(3, vectorstest.Base, file)...)
			c.spoil(t, a)
			_, err := a.store(t).Remove(t.Context(), nil, []string{file, "other"})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	testenv.NeedOpenSearch(t)
	server := testenv.StartOpenSearch(t)
	a := &api{url: server.URL(), prefix: "p"}
	f := vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left}
	vectorstest.SurviveKill(t, f, func() { server.Kill(t) }, func() {
		server.Restart(t)
		a.call(t, http.MethodGet, "_cluster/health/p_*?wait_for_status=green&timeout=60s", nil, nil)
	})
}

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	store := newStore(t, elasticsearch.Options{URL: fmt.Sprintf("http://127.0.0.1:%d", testenv.FreePort(t)), Prefix: "p"})
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	_, err := store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "elasticsearch:9200", "https://e", "ftp://u:" + secret + "@e:1", "http://u:" + secret + "@e:port"} {
		_, err := elasticsearch.New(t.Context(), elasticsearch.Options{URL: address, Prefix: "p"})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), secret)
	}
	_, err := elasticsearch.New(t.Context(), elasticsearch.Options{URL: "http://e:1"})
	require.ErrorContains(t, err, "no prefix")
	for address, want := range map[string]string{"http://e:9200": "elasticsearch at e:9200, indexes with prefix p", "https://u:p@[::1]:1/below?a=b": "elasticsearch at [::1]:1, indexes with prefix p"} {
		require.Equal(t, want, newStore(t, elasticsearch.Options{URL: address, Prefix: "p"}).Info().Name)
	}
}
