package chroma_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/vectors/vectorstest"
)

// api is Chroma as the application uses it: one database of a server.
type api struct {
	server   string
	database string
}

var client = http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends a request, and decodes the answer into out unless that is nil.
func (a api) ask(t testing.TB, method, path string, in, out any) int {
	t.Helper()
	text, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequest(method, a.server+"/api/v2/tenants/default_tenant/databases"+path, bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if out != nil {
		require.Less(t, response.StatusCode, 300, "%s %s: %s", method, path, body)
		require.NoError(t, json.Unmarshal(body, out), "%s %s: %s", method, path, body)
	}
	return response.StatusCode
}

func (a api) collections(t testing.TB) map[string]string {
	t.Helper()
	var list []struct{ ID, Name string }
	a.ask(t, http.MethodGet, "/"+a.database+"/collections", nil, &list)
	ids := map[string]string{}
	for _, c := range list {
		ids[c.Name] = c.ID
	}
	return ids
}

// create makes a collection as the application does, and returns its id.
func (a api) create(t testing.TB, name string) string {
	t.Helper()
	var made struct{ ID string }
	a.ask(t, http.MethodPost, "/"+a.database+"/collections",
		map[string]any{"name": name, "get_or_create": true, "metadata": map[string]any{"hnsw:space": "cosine"}}, &made)
	return made.ID
}

// drop drops a collection as the application does, if it is there.
func (a api) drop(t testing.TB, name string) {
	t.Helper()
	status := a.ask(t, http.MethodDelete, "/"+a.database+"/collections/"+name, nil, nil)
	require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, status)
}

// vector is a direction that tells n from other numbers.
func vector(n int) []float32 { return []float32{1, float32(n), float32(n % 7)} }

// insert stores chunks as the application does.
func (a api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	type records struct {
		IDs        []string         `json:"ids"`
		Embeddings [][]float32      `json:"embeddings"`
		Documents  []*string        `json:"documents"`
		Metadatas  []map[string]any `json:"metadatas"`
	}
	sets := map[string]*records{}
	for n, chunk := range chunks {
		set := sets[chunk.Collection]
		if set == nil {
			set = &records{}
			sets[chunk.Collection] = set
		}
		set.IDs = append(set.IDs, chunk.ID)
		set.Embeddings = append(set.Embeddings, vector(n))
		set.Documents = append(set.Documents, document(chunk))
		set.Metadatas = append(set.Metadatas, metadata(chunk))
	}
	for name, set := range sets {
		a.ask(t, http.MethodPost, "/"+a.database+"/collections/"+a.create(t, name)+"/add", set, &struct{}{})
	}
}

// metadata is nil for none, and so is document.
func metadata(chunk vectorstest.Chunk) map[string]any {
	m := chunk.Metadata()
	if m != nil {
		m["start_index"], m["draft"] = 1.5, true
	}
	return m
}

func document(chunk vectorstest.Chunk) *string {
	if chunk.Bare {
		return nil
	}
	text := "the text of " + chunk.ID
	return &text
}

func (a api) ids(t testing.TB, collection string) []string {
	t.Helper()
	var found struct{ IDs []string }
	a.ask(t, http.MethodPost, "/"+a.database+"/collections/"+collection+"/get", map[string]any{"include": []string{}}, &found)
	return found.IDs
}

func (a api) left(t testing.TB) (ids []string) {
	t.Helper()
	for _, id := range a.collections(t) {
		ids = append(ids, a.ids(t, id)...)
	}
	return ids
}

// hit is one answer to a query.
type hit struct{ id, document string }

// query asks a collection as the application does, which raises on a hit
// without a document.
func (a api) query(t testing.TB, name string, n, results int) (hits []hit) {
	t.Helper()
	var found struct {
		IDs       [][]string
		Documents [][]*string
	}
	a.ask(t, http.MethodPost, "/"+a.database+"/collections/"+a.create(t, name)+"/query", map[string]any{
		"query_embeddings": [][]float32{vector(n)}, "n_results": results, "include": []string{"documents"},
	}, &found)
	for i, id := range found.IDs[0] {
		require.NotNil(t, found.Documents[0][i], "a hit without a document: %s", id)
		hits = append(hits, hit{id, *found.Documents[0][i]})
	}
	return hits
}

var takesName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$`)

// newDatabase is a database of a server's own for one case.
func newDatabase(t testing.TB, server string) api {
	t.Helper()
	a := api{server: server, database: "db-" + strings.ToLower(fmt.Sprintf("%x", time.Now().UnixNano()))}
	a.ask(t, http.MethodPost, "", map[string]any{"name": a.database}, &struct{}{})
	return a
}
