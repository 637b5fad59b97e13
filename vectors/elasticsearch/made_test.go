package elasticsearch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/elasticsearch"
	"pruned/vectors/vectorstest"
)

const secret = "s3cr3t-and-more"

// made is a server of made-up answers, which knows one index and as much as a removal asks.
// Requests whose method and path begin with twisted are answered otherwise.
type made struct {
	twisted, answer string
	status          int

	mutex     sync.Mutex
	documents map[string]string // by id
	listings  int               // begun and not ended
	busy      bool              // it says so the first time
}

const file = "f0000000-0000-4000-8000-00000000f11e"

func newMade() *made {
	document := func(collection string) string {
		return `{"collection":"` + collection + `","metadata":{"name":"a","file_id":"` + file + `"}}`
	}
	return &made{documents: map[string]string{"a": document(vectors.FileCollection(file)), "b": document(vectorstest.Base), "c": document("wiki")}}
}

func (m *made) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	request := r.Method + " " + r.URL.Path
	if request == "DELETE /_search/scroll" {
		m.listings--
	}
	if m.busy {
		m.busy = false
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if m.twisted != "" && strings.HasPrefix(request, m.twisted) {
		w.WriteHeader(m.status)
		fmt.Fprint(w, m.answer)
		return
	}
	switch {
	case strings.HasPrefix(request, "GET /p_d0/_mapping"):
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"type":"index_not_found_exception"},"status":404}`)
	case strings.HasPrefix(request, "GET /_resolve/index/p_*"):
		fmt.Fprint(w, `{"indices":[{"name":"p_d2","attributes":["open"]}],"aliases":[],"data_streams":[]}`)
	case strings.HasPrefix(request, "GET /p_*/_mapping"):
		fmt.Fprint(w, `{"p_d2":{"mappings":{"collection":{"full_name":"collection","mapping":{"collection":{"type":"keyword"}}}}}}`)
	case request == "POST /p_d2/_refresh":
		fmt.Fprint(w, `{"_shards":{"total":1,"successful":1,"failed":0}}`)
	case request == "POST /p_d2/_search":
		var hits []string
		for id, document := range m.documents {
			hits = append(hits, `{"_index":"p_d2","_id":"`+id+`","_source":`+document+`}`)
		}
		m.listings++
		fmt.Fprint(w, page(hits...))
	case request == "POST /_search/scroll":
		fmt.Fprint(w, page())
	case request == "POST /p_d2/_bulk":
		m.deleteAll(r.Body)
		fmt.Fprint(w, `{"errors":false,"items":[]}`)
	default:
		fmt.Fprint(w, `{}`)
	}
}

func (m *made) deleteAll(body io.Reader) {
	for lines := json.NewDecoder(body); lines.More(); {
		var line struct {
			Delete struct {
				ID string `json:"_id"`
			}
		}
		if lines.Decode(&line) != nil {
			return
		}
		delete(m.documents, line.Delete.ID)
	}
}

func page(hits ...string) string {
	return `{"_scroll_id":"s","timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"hits":[` + strings.Join(hits, ",") + `]}}`
}

// What a server answers that is without rights, of another kind, that loses the rest of a
// page or lies: it is the store's own fault, nothing is taken for gone, and no secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		twisted string
		status  int
		answer  string
		want    string
	}{
		"says that it deleted":  {"POST /p_d2/_bulk", 200, `{"errors":false,"items":[]}`, "does not delete a of p_d2, though it says so"},
		"no right to delete":    {"POST /p_d2/_bulk", 403, `{"error":"` + secret + `"}`, "ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME, wants the privileges"},
		"refuses one":           {"POST /p_d2/_bulk", 200, `{"errors":true,"items":[{"delete":{"status":429,"error":{"type":"cluster_block_exception","reason":"disk usage exceeded flood-stage watermark"}}}]}`, "flood-stage"},
		"may not see all":       {"GET /p_d0/", 403, `{"error":{"type":"security_exception","reason":"unauthorized for API key"}}`, "wants the privileges view_index_metadata, read, maintenance and delete on p_*"},
		"a proxy's not found":   {"GET /p_d0/", 404, `nothing here`, "404"},
		"no names at all":       {"GET /_resolve", 200, `{}`, "does not list its indexes"},
		"half of the names":     {"GET /_resolve", 200, `{"indices":[`, "list the names"},
		"half of the indexes":   {"GET /p_*/", 200, `{"p_d2":{`, "list the indexes"},
		"no indexes any more":   {"GET /p_*/", 404, `{}`, "has index p_d2 without a keyword field collection"},
		"a stream":              {"GET /_resolve", 200, `{"indices":[],"aliases":[],"data_streams":[{"name":"p_d2"}]}`, "has p_d2 as another name for an index"},
		"another program":       {"GET /p_*/", 404, `nothing here`, "404"},
		"goes somewhere else":   {"POST /p_d2/_search", 302, ``, "302"},
		"a proxy's no":          {"POST /p_d2/_refresh", 404, `{"error":"no such thing"}`, "404"},
		"part of a refresh":     {"POST /p_d2/_refresh", 200, `{"_shards":{"total":2,"successful":1,"failed":1}}`, "has not refreshed"},
		"part of an index":      {"POST /p_d2/_search", 200, `{"_scroll_id":"a","timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"hits":[]}}`, "has not answered about all"},
		"late":                  {"POST /p_d2/_search", 200, `{"_scroll_id":"a","timed_out":true,"_shards":{"total":1,"failed":0},"hits":{"hits":[]}}`, "has not answered about all"},
		"not a search's answer": {"POST /p_d2/_search", 200, `{}`, "has not answered about all"},
		"half a page":           {"POST /p_d2/_search", 200, `{"_scroll_id":"a","timed_out":false,"hits":{"hits":[{"_id":`, "read the answer"},
		"another index's":       {"POST /p_d2/_search", 200, page(`{"_index":"other","_id":"a","_source":{}}`), "none of it"},
		"nothing of a document": {"POST /p_d2/_search", 200, page(`{"_index":"p_d2","_id":"a"}`), "does not say what is in document a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMade()
			m.twisted, m.status, m.answer = c.twisted, c.status, c.answer
			server := httptest.NewServer(m)
			t.Cleanup(server.Close)
			store := newStore(t, elasticsearch.Options{URL: server.URL, APIKey: secret, Prefix: "p"})
			_, err := store.Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, fmt.Sprint(store), secret)

			m.mutex.Lock()
			m.twisted = ""
			m.mutex.Unlock()
			_, err = store.Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, err)
			m.mutex.Lock()
			defer m.mutex.Unlock()
			require.Len(t, m.documents, 1)
			require.Contains(t, m.documents, "c")
		})
	}
}

// A listing is ended also where a page of it did not come: of those that wait a server keeps
// few.
func TestListingThatFailsIsEnded(t *testing.T) {
	t.Parallel()
	for _, twisted := range []string{"", "POST /_search/scroll"} {
		m := newMade()
		m.twisted, m.status, m.answer = twisted, http.StatusInternalServerError, "no"
		server := httptest.NewServer(m)
		t.Cleanup(server.Close)
		var failure error
		for _, err := range newStore(t, elasticsearch.Options{URL: server.URL, Prefix: "p"}).Files(t.Context()) {
			failure = errors.Join(failure, err)
		}
		require.Equal(t, twisted != "", errors.Is(failure, vectors.ErrUnusable))
		m.mutex.Lock()
		require.Zero(t, m.listings)
		m.mutex.Unlock()
	}
}

// A server that has too much to do is asked again.
func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	m := newMade()
	m.busy = true
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	removed, err := newStore(t, elasticsearch.Options{URL: server.URL, Prefix: "p"}).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 2, removed.Chunks)
}

// Who asks is told as the application's client tells it: a key before a user, and a user and a
// password together or not at all.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	seen := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	named := strings.Replace(server.URL, "//", "//of:address@", 1)
	for want, options := range map[string]elasticsearch.Options{
		"":                       {URL: server.URL, User: "u"},
		"ApiKey k":               {URL: named, APIKey: "k", User: "u", Password: "pw"},
		"Basic dTpwdw==":         {URL: named, User: "u", Password: "pw"},
		"Basic b2Y6YWRkcmVzcw==": {URL: named, User: "u"},
	} {
		options.Prefix = "p"
		require.ErrorContains(t, newStore(t, options).Check(t.Context()), "wants the privileges")
		require.Equal(t, want, seen)
	}
}
