package opensearch_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
	"pruned/vectors/opensearch"
	"pruned/vectors/vectorstest"
)

// api is OpenSearch as the application uses it.
type api struct{ url string }

// newServer is an empty server for one case: the application's prefix is always the same.
func newServer(t testing.TB) *api {
	t.Helper()
	testenv.NeedOpenSearch(t)
	server, give := testenv.BorrowOpenSearch(t)
	a := &api{url: server.URL()}
	t.Cleanup(func() {
		for _, name := range a.indexes(t) {
			a.call(t, http.MethodDelete, url.PathEscape(name), nil, nil)
		}
		give()
	})
	return a
}

func (a *api) store(t testing.TB) *opensearch.Store {
	t.Helper()
	return newStore(t, opensearch.Options{URL: a.url})
}

func newStore(t testing.TB, options opensearch.Options) *opensearch.Store {
	t.Helper()
	store, err := opensearch.New(t.Context(), options)
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

func (a *api) indexes(t testing.TB) (names []string) {
	t.Helper()
	var answer map[string]any
	a.call(t, http.MethodGet, "_settings?expand_wildcards=all&flat_settings=true", nil, &answer)
	for name := range answer {
		names = append(names, name)
	}
	return names
}

func (a *api) drop(t testing.TB, collection string) {
	t.Helper()
	a.call(t, http.MethodDelete, url.PathEscape(indexName(collection)), nil, nil)
}

func indexName(collection string) string { return "open_webui_" + collection }

// create makes an index as the application does, but that its vectors are numbers: what
// indexes vectors is not to be had.
func (a *api) create(t testing.TB, name string) {
	t.Helper()
	a.call(t, http.MethodPut, url.PathEscape(name), map[string]any{
		"settings": map[string]any{"number_of_replicas": 0},
		"mappings": map[string]any{"properties": map[string]any{
			"id": map[string]any{"type": "keyword"}, "vector": map[string]any{"type": "float"}, "text": map[string]any{"type": "text"}, "metadata": map[string]any{"type": "object"},
		}},
	}, nil)
}

// insert stores chunks as the application does, which refreshes at the end.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]vectorstest.Chunk{}
	for _, chunk := range chunks {
		sets[indexName(chunk.Collection)] = append(sets[indexName(chunk.Collection)], chunk)
	}
	there := a.indexes(t)
	var group errgroup.Group
	group.SetLimit(4)
	for name, set := range sets {
		group.Go(func() error {
			if !slices.Contains(there, name) {
				a.create(t, name)
			}
			for some := range slices.Chunk(set, 2000) {
				a.insertDocuments(t, name, some)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	a.call(t, http.MethodPost, "open_webui_*/_refresh", nil, nil)
}

func (a *api) insertDocuments(t testing.TB, name string, chunks []vectorstest.Chunk) {
	t.Helper()
	var lines strings.Builder
	for i, chunk := range chunks {
		metadata := chunk.Metadata()
		if metadata == nil {
			metadata = map[string]any{}
		}
		for _, one := range []any{
			map[string]any{"index": map[string]any{"_id": chunk.ID}},
			map[string]any{"vector": []float32{1, float32(i)}, "text": "the text of " + chunk.ID, "metadata": metadata},
		} {
			line, err := json.Marshal(one)
			require.NoError(t, err)
			lines.Write(append(line, '\n'))
		}
	}
	var answer struct{ Errors bool }
	a.call(t, http.MethodPost, url.PathEscape(name)+"/_bulk", lines.String(), &answer)
	require.False(t, answer.Errors)
}

func (a *api) left(t testing.TB) (ids []string) {
	t.Helper()
	a.call(t, http.MethodPost, "_refresh", nil, nil)
	type page struct {
		Cursor string `json:"_scroll_id"`
		Hits   struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	var answer page
	a.call(t, http.MethodPost, "_all/_search?scroll=1m&size=10000&_source=false", nil, &answer)
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
