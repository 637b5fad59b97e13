package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// seededName is the name of every file whose chunks are inserted.
const seededName = "document.txt"

// vectorServer is a Chroma of the application's version on its files, while the
// application itself does not run.
type vectorServer struct {
	*testenv.Chroma
	client http.Client
}

func startVectors(t *testing.T, dir string) *vectorServer {
	t.Helper()
	return &vectorServer{
		Chroma: testenv.StartChroma(t, dir),
		client: http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// ask sends a request about collections, and decodes the answer.
func (s *vectorServer) ask(t *testing.T, method, path string, in, out any) {
	t.Helper()
	text, err := json.Marshal(in)
	require.NoError(t, err)
	url := s.URL() + "/api/v2/tenants/default_tenant/databases/default_database/collections" + path
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, "%s %s: %s", method, path, answer)
	require.NoError(t, json.Unmarshal(answer, out))
}

// collections are the ids of all, by name.
func (s *vectorServer) collections(t *testing.T) map[string]string {
	t.Helper()
	var list []struct{ ID, Name string }
	s.ask(t, http.MethodGet, "", nil, &list)
	ids := map[string]string{}
	for _, one := range list {
		ids[one.Name] = one.ID
	}
	return ids
}

// insert stores chunks of a file as the application does.
func (s *vectorServer) insert(t *testing.T, collection, file string, chunks int) {
	t.Helper()
	var made struct{ ID string }
	s.ask(t, http.MethodPost, "", fields{
		"name": collection, "get_or_create": true, "metadata": fields{"hnsw:space": "cosine"},
	}, &made)
	ids, texts, vectors, metadatas := make([]string, chunks), make([]string, chunks), make([][]int, chunks), make([]fields, chunks)
	for i := range ids {
		ids[i], texts[i], vectors[i] = testenv.NewID(), "What chunk "+file+" says.", direction()
		metadatas[i] = fields{"file_id": file, "name": seededName, "source": seededName, "start_index": i}
	}
	s.ask(t, http.MethodPost, "/"+made.ID+"/add",
		fields{"ids": ids, "documents": texts, "embeddings": vectors, "metadatas": metadatas}, &fields{})
}

// direction is that of a text of a few words, in Open WebUI's space. It must not be
// the same for many: Chroma's index then no longer finds the others (of 4 beside
// 100 equal ones, up to all 4 were missing, without a pruned).
func direction() []int {
	v := make([]int, 1536)
	for range 8 {
		v[rand.IntN(len(v))] = 1
	}
	return v
}

// fields are a JSON object.
type fields = map[string]any
