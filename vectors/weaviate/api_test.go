package weaviate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
	"pruned/vectors/weaviate"
)

// api is Weaviate as the application uses it.
type api struct {
	port int
	key  string
}

// needServer leaves a test out where the server was not asked for: it takes minutes to build.
func needServer(t testing.TB) {
	t.Helper()
	if os.Getenv("PRUNED_TEST_STORES") != "all" {
		testenv.LeaveOut(t, "Weaviate has to be built: make test-stores does, once, and runs it")
	}
}

// newServer is an empty server for one case: it has one list of classes for all.
func newServer(t testing.TB) *api {
	t.Helper()
	needServer(t)
	server, give := testenv.BorrowWeaviate(t)
	a := &api{port: server.Port()}
	t.Cleanup(func() {
		a.clear(t)
		give()
	})
	return a
}

func (a *api) clear(t testing.TB) {
	for _, class := range a.classes(t) {
		a.call(t, http.MethodDelete, "schema/"+class, nil, nil)
	}
}

func (a *api) store(t testing.TB) *weaviate.Store {
	t.Helper()
	return newStore(t, weaviate.Options{Host: "127.0.0.1", Port: a.port, APIKey: a.key})
}

func newStore(t testing.TB, options weaviate.Options) *weaviate.Store {
	t.Helper()
	store, err := weaviate.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

func (a *api) call(t testing.TB, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(context.Background(), method, fmt.Sprintf("http://127.0.0.1:%d/v1/%s", a.port, path), bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	if a.key != "" {
		request.Header.Set("Authorization", "Bearer "+a.key)
	}
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

func (a *api) classes(t testing.TB) (names []string) {
	t.Helper()
	var answer struct{ Classes []struct{ Class string } }
	a.call(t, http.MethodGet, "schema", nil, &answer)
	for _, one := range answer.Classes {
		names = append(names, one.Class)
	}
	return names
}

func (a *api) drop(t testing.TB, collection string) {
	t.Helper()
	a.call(t, http.MethodDelete, "schema/"+className(collection), nil, nil)
}

var odd = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// className is what the application makes of the name of a collection.
func className(collection string) string {
	name := strings.Trim(odd.ReplaceAllString(strings.ReplaceAll(collection, "-", "_"), ""), "_")
	if name[0] >= '0' && name[0] <= '9' {
		name = "C" + name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// create makes a class as the application does; properties beyond its own are of these kinds.
func (a *api) create(t testing.TB, class string, kinds map[string]string) {
	t.Helper()
	properties := []map[string]any{{"name": "text", "dataType": []string{"text"}}}
	for name, kind := range kinds {
		properties = append(properties, map[string]any{"name": name, "dataType": []string{kind}})
	}
	a.call(t, http.MethodPost, "schema", map[string]any{
		"class": class, "properties": properties,
		"vectorConfig": map[string]any{"default": map[string]any{"vectorizer": map[string]any{"none": map[string]any{}}, "vectorIndexType": "hnsw"}},
	}, nil)
}

// insert stores chunks as the application does. The kind of file_id is that of the first
// value; where they are mixed, a text has come first.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]vectorstest.Chunk{}
	mixed := map[string]bool{}
	for _, chunk := range chunks {
		class := className(chunk.Collection)
		sets[class] = append(sets[class], chunk)
		if _, err := uuid.Parse(chunk.FileID); err != nil && chunk.FileID != "" {
			mixed[class] = true
		}
	}
	there := a.classes(t)
	var group errgroup.Group
	group.SetLimit(4)
	for class, set := range sets {
		group.Go(func() error {
			if !slices.Contains(there, class) {
				kinds := map[string]string{}
				if mixed[class] {
					kinds["file_id"] = "text"
				}
				a.create(t, class, kinds)
			}
			for some := range slices.Chunk(set, 1000) {
				a.insertObjects(t, class, some)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func (a *api) insertObjects(t testing.TB, class string, chunks []vectorstest.Chunk) {
	t.Helper()
	var objects []map[string]any
	for i, chunk := range chunks {
		properties := chunk.Metadata()
		if properties == nil {
			properties = map[string]any{}
		}
		properties["text"] = "the text of " + chunk.ID
		objects = append(objects, map[string]any{
			"class": class, "id": chunk.ID, "properties": properties, "vectors": map[string]any{"default": []float32{1, float32(i), 2, 3}},
		})
	}
	var answer []struct{ Result struct{ Status string } }
	a.call(t, http.MethodPost, "batch/objects", map[string]any{"objects": objects}, &answer)
	for i, one := range answer {
		require.Equal(t, "SUCCESS", one.Result.Status, "%v", chunks[i])
	}
}

func (a *api) left(t testing.TB) (ids []string) {
	t.Helper()
	for _, class := range a.classes(t) {
		for after := ""; ; {
			var answer struct{ Objects []struct{ ID string } }
			a.call(t, http.MethodGet, fmt.Sprintf("objects?class=%s&limit=100&after=%s", class, after), nil, &answer)
			for _, one := range answer.Objects {
				ids, after = append(ids, one.ID), one.ID
			}
			if len(answer.Objects) < 100 {
				break
			}
		}
	}
	return ids
}
