package elasticsearch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/elasticsearch"
	"pruned/vectors/vectorstest"
)

// api is Elasticsearch as the application uses it: the indexes of one prefix. An OpenSearch
// takes its part, which knows no dense_vector: vectors are numbers there.
type api struct{ url, prefix string }

var prefixes atomic.Int64

// newAPI is a prefix of one's own, which no other begins with, on the server that all tests share.
func newAPI(t testing.TB) *api {
	t.Helper()
	testenv.NeedOpenSearch(t)
	a := &api{testenv.SharedOpenSearch(t).URL(), fmt.Sprintf("case-%03d", prefixes.Add(1))}
	t.Cleanup(func() {
		for _, name := range a.indexes(t) {
			a.call(t, http.MethodDelete, name, nil, nil)
		}
	})
	return a
}

func (a *api) options() elasticsearch.Options {
	return elasticsearch.Options{URL: a.url, Prefix: a.prefix}
}

func (a *api) store(t testing.TB) *elasticsearch.Store {
	t.Helper()
	return newStore(t, a.options())
}

func newStore(t testing.TB, options elasticsearch.Options) *elasticsearch.Store {
	t.Helper()
	store, err := elasticsearch.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

func (a *api) call(t testing.TB, method, path string, in, out any) {
	t.Helper()
	body, is := in.(string)
	if !is && in != nil {
		text, err := json.Marshal(in)
		require.NoError(t, err)
		body = string(text)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, a.url+"/"+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, "%s", text)
	if out != nil {
		require.NoError(t, json.Unmarshal(text, out))
	}
}

// indexes are those that begin with the prefix, open and closed.
func (a *api) indexes(t testing.TB) []string {
	t.Helper()
	var answer map[string]any
	a.call(t, http.MethodGet, a.prefix+"*/_settings?expand_wildcards=all&flat_settings=true", nil, &answer)
	return slices.Collect(maps.Keys(answer))
}

// index is where the application puts vectors of a size.
func (a *api) index(size int) string { return fmt.Sprintf("%s_d%d", a.prefix, size) }

// create makes an index as the application does; more are fields besides.
func (a *api) create(t testing.TB, name string, more map[string]any) {
	t.Helper()
	fields := map[string]any{
		"collection": map[string]any{"type": "keyword"}, "id": map[string]any{"type": "keyword"}, "vector": map[string]any{"type": "float"},
		"text": map[string]any{"type": "text"}, "metadata": map[string]any{"type": "object"},
	}
	maps.Copy(fields, more)
	a.call(t, http.MethodPut, name, map[string]any{
		"settings": map[string]any{"number_of_replicas": 0},
		"mappings": map[string]any{
			"dynamic_templates": []any{map[string]any{"strings": map[string]any{"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword"}}}},
			"properties":        fields,
		},
	}, nil)
}

// indexOf is where a collection lies here: half of them have vectors of another size.
func (a *api) indexOf(collection string) string {
	return a.index(2 + int(crc32.ChecksumIEEE([]byte(collection))%2))
}

// drop drops that, with all that lies there.
func (a *api) drop(t testing.TB, collection string) {
	t.Helper()
	a.call(t, http.MethodDelete, a.indexOf(collection), nil, nil)
}

// insert stores chunks as the application does, and waits until searches see them.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]vectorstest.Chunk{a.index(2): nil, a.index(3): nil}
	for _, chunk := range chunks {
		name := a.indexOf(chunk.Collection)
		sets[name] = append(sets[name], chunk)
	}
	there := a.indexes(t)
	for name, set := range sets {
		if !slices.Contains(there, name) {
			a.create(t, name, nil)
		}
		a.put(t, name, set...)
	}
	a.call(t, http.MethodPost, a.prefix+"*/_refresh", nil, nil)
}

// put stores chunks in one index.
func (a *api) put(t testing.TB, name string, chunks ...vectorstest.Chunk) {
	t.Helper()
	for some := range slices.Chunk(chunks, 2000) {
		documents := map[string]any{}
		for i, chunk := range some {
			metadata := chunk.Metadata()
			if metadata == nil {
				metadata = map[string]any{}
			}
			documents[chunk.ID] = map[string]any{"collection": chunk.Collection, "vector": []float32{1, float32(i)}, "text": "the text of " + chunk.ID, "metadata": metadata}
		}
		a.putDocuments(t, name, documents)
	}
}

// putDocuments stores documents by their ids.
func (a *api) putDocuments(t testing.TB, name string, documents map[string]any) {
	t.Helper()
	var lines strings.Builder
	for id, document := range documents {
		for _, one := range []any{map[string]any{"index": map[string]any{"_id": id}}, document} {
			line, err := json.Marshal(one)
			require.NoError(t, err)
			lines.Write(append(line, '\n'))
		}
	}
	var answer json.RawMessage
	a.call(t, http.MethodPost, name+"/_bulk", lines.String(), &answer)
	require.Contains(t, string(answer), `"errors":false`)
}

// left are the ids of all documents in indexes that begin with the prefix.
func (a *api) left(t testing.TB) (ids []string) {
	t.Helper()
	a.call(t, http.MethodPost, a.prefix+"*/_refresh", nil, nil)
	type page struct {
		Cursor string `json:"_scroll_id"`
		Hits   struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	var answer page
	a.call(t, http.MethodPost, a.prefix+"*/_search?scroll=1m&size=10000&_source=false", nil, &answer)
	for len(answer.Hits.Hits) > 0 {
		for _, hit := range answer.Hits.Hits {
			ids = append(ids, hit.ID)
		}
		cursor := answer.Cursor
		answer = page{}
		a.call(t, http.MethodPost, "_search/scroll", map[string]string{"scroll": "1m", "scroll_id": cursor}, &answer)
	}
	return ids
}
