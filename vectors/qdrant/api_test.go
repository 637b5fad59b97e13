package qdrant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/qdrant"
	"pruned/vectors/vectorstest"
)

// api is Qdrant as the application uses it: the collections of one prefix.
type api struct {
	url, key     string
	prefix       string
	multitenancy bool
}

var prefixes atomic.Int64

// newAPI is a prefix of one's own on the server that all tests share.
func newAPI(t testing.TB, multitenancy bool) *api {
	t.Helper()
	a := &api{url: testenv.SharedQdrant(t).URL(), prefix: fmt.Sprintf("case-%d", prefixes.Add(1)), multitenancy: multitenancy}
	t.Cleanup(func() {
		for _, name := range a.collections(t) {
			a.drop(t, name)
		}
	})
	return a
}

func (a *api) options() qdrant.Options {
	return qdrant.Options{URL: a.url, APIKey: a.key, Multitenancy: a.multitenancy, Prefix: a.prefix}
}

func (a *api) store(t testing.TB) *qdrant.Store {
	t.Helper()
	return newStore(t, a.options())
}

func newStore(t testing.TB, options qdrant.Options) *qdrant.Store {
	t.Helper()
	store, err := qdrant.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

func (a *api) call(t testing.TB, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(context.Background(), method, a.url+"/"+path, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Api-Key", a.key)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
	if out != nil {
		require.NoError(t, json.Unmarshal(text, &struct{ Result any }{out}))
	}
}

func path(name, action string) string { return "collections/" + url.PathEscape(name) + action }

// collections are those of the prefix.
func (a *api) collections(t testing.TB) (names []string) {
	t.Helper()
	var answer struct{ Collections []struct{ Name string } }
	a.call(t, http.MethodGet, "collections", nil, &answer)
	for _, one := range answer.Collections {
		if strings.HasPrefix(one.Name, a.prefix+"_") {
			names = append(names, one.Name)
		}
	}
	return names
}

func (a *api) drop(t testing.TB, name string) {
	t.Helper()
	a.call(t, http.MethodDelete, path(name, ""), nil, nil)
}

// dropCollection drops that of the server's, with all that lies there.
func (a *api) dropCollection(t testing.TB, collection string) {
	t.Helper()
	a.drop(t, a.serverName(collection))
}

// serverName is what the application calls the collection of the server's.
func (a *api) serverName(collection string) string {
	shelf := collection
	if a.multitenancy {
		digest := len(collection) == 63 && strings.Trim(collection, "0123456789abcdef") == ""
		switch {
		case strings.HasPrefix(collection, "user-memory-"):
			shelf = "memories"
		case strings.HasPrefix(collection, "file-"):
			shelf = "files"
		case strings.HasPrefix(collection, "web-search-"):
			shelf = "web-search"
		case digest:
			shelf = "hash-based"
		default:
			shelf = "knowledge"
		}
	}
	return a.prefix + "_" + shelf
}

// create makes a collection as the application does.
func (a *api) create(t testing.TB, name string) {
	t.Helper()
	a.call(t, http.MethodPut, path(name, ""), map[string]any{"vectors": map[string]any{"size": 4, "distance": "Cosine"}}, nil)
	fields := []string{"metadata.hash", "metadata.file_id"}
	if a.multitenancy {
		fields = append(fields, "tenant_id")
	}
	for _, field := range fields {
		schema := map[string]any{"type": "keyword", "is_tenant": field == "tenant_id"}
		a.call(t, http.MethodPut, path(name, "/index?wait=true"), map[string]any{"field_name": field, "field_schema": schema}, nil)
	}
}

// insert stores chunks as the application does.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]vectorstest.Chunk{}
	for _, chunk := range chunks {
		name := a.serverName(chunk.Collection)
		sets[name] = append(sets[name], chunk)
	}
	there := a.collections(t)
	for name, set := range sets {
		if !slices.Contains(there, name) {
			a.create(t, name)
		}
		for some := range slices.Chunk(set, 1000) {
			var points []map[string]any
			for i, chunk := range some {
				payload := map[string]any{"text": "the text of " + chunk.ID}
				if metadata := chunk.Metadata(); metadata != nil {
					payload["metadata"] = metadata
				}
				if a.multitenancy {
					payload["tenant_id"] = chunk.Collection
				}
				points = append(points, point(chunk.ID, i, payload))
			}
			a.put(t, name, points...)
		}
	}
}

func point(id any, i int, payload map[string]any) map[string]any {
	return map[string]any{"id": id, "vector": []float32{1, float32(i), 2, 3}, "payload": payload}
}

func (a *api) put(t testing.TB, name string, points ...map[string]any) {
	t.Helper()
	a.call(t, http.MethodPut, path(name, "/points?wait=true"), map[string]any{"points": points}, nil)
}

// left are the ids of all points of the prefix.
func (a *api) left(t testing.TB) (ids []string) {
	t.Helper()
	for _, name := range a.collections(t) {
		in := map[string]any{"limit": 10_000, "with_payload": false}
		for more := true; more; {
			var answer struct {
				Points []struct{ ID any }
				Next   any `json:"next_page_offset"`
			}
			a.call(t, http.MethodPost, path(name, "/points/scroll"), in, &answer)
			for _, one := range answer.Points {
				ids = append(ids, fmt.Sprint(one.ID))
			}
			in["offset"], more = answer.Next, answer.Next != nil
		}
	}
	return ids
}
