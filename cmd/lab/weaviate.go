package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
	"pruned/vectors/weaviate"
)

// weaviateServer has a class for each collection.
type weaviateServer struct {
	server  *testenv.Weaviate
	classes map[string]string // the collection of each, which its name does not tell
}

func runWeaviate(ctx context.Context, _ *lab) (vectorServer, error) {
	server, err := testenv.RunWeaviate(ctx, testenv.WeaviateOptions{})
	return &weaviateServer{server, map[string]string{}}, err
}

func (w *weaviateServer) settings() []string {
	return []string{"VECTOR_DB=weaviate", "WEAVIATE_HTTP_HOST=127.0.0.1", fmt.Sprintf("WEAVIATE_HTTP_PORT=%d", w.server.Port())}
}

func (w *weaviateServer) storeName(ctx context.Context) (string, error) {
	store, err := weaviate.New(ctx, weaviate.Options{Host: "127.0.0.1", Port: w.server.Port()})
	if err != nil {
		return "", err
	}
	defer store.Close()
	return store.Info().Name, nil
}

var notInClass = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// className is what the application makes of the name of a collection.
func className(collection string) string {
	name := strings.Trim(notInClass.ReplaceAllString(strings.ReplaceAll(collection, "-", "_"), ""), "_")
	if name[0] >= '0' && name[0] <= '9' {
		name = "C" + name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// requestsAtOnce are sent to it.
const requestsAtOnce = 3

func (w *weaviateServer) insert(ctx context.Context, chunks []chunk) error {
	objects := map[string][]map[string]any{}
	for _, c := range chunks {
		class := className(c.collection)
		w.classes[class] = c.collection
		objects[class] = append(objects[class], map[string]any{
			"class": class, "id": c.id, "properties": c.metadata, "vectors": map[string]any{"default": []float32{1, 2, 3, 4}},
		})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for class, all := range objects {
		group.Go(func() error {
			err := w.ask(ctx, http.MethodPost, "schema", map[string]any{
				"class": class, "properties": []map[string]any{{"name": "text", "dataType": []string{"text"}}},
				"vectorConfig": map[string]any{"default": map[string]any{"vectorizer": map[string]any{"none": map[string]any{}}, "vectorIndexType": "hnsw"}},
			}, nil)
			for some := range slices.Chunk(all, 1000) {
				err = errors.Join(err, w.ask(ctx, http.MethodPost, "batch/objects", map[string]any{"objects": some}, nil))
			}
			return err
		})
	}
	return group.Wait()
}

func (w *weaviateServer) list(ctx context.Context) (chunks []chunk, err error) {
	var schema struct{ Classes []struct{ Class string } }
	if err := w.ask(ctx, http.MethodGet, "schema", nil, &schema); err != nil {
		return nil, err
	}
	lists := make([][]chunk, len(schema.Classes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i, one := range schema.Classes {
		group.Go(func() (err error) {
			lists[i], err = w.listClass(ctx, one.Class)
			return err
		})
	}
	err = group.Wait()
	return slices.Concat(lists...), err
}

func (w *weaviateServer) listClass(ctx context.Context, class string) (chunks []chunk, err error) {
	const most = 5000
	for after := ""; err == nil; {
		var page struct {
			Objects []struct {
				ID         string
				Properties map[string]any
			}
		}
		err = w.ask(ctx, http.MethodGet, fmt.Sprintf("objects?class=%s&limit=%d&after=%s", class, most, after), nil, &page)
		for _, o := range page.Objects {
			chunks, after = append(chunks, chunk{o.ID, w.classes[class], o.Properties}), o.ID
		}
		if len(page.Objects) < most {
			break
		}
	}
	return chunks, err
}

func (w *weaviateServer) ask(ctx context.Context, method, path string, in, out any) error {
	return askJSON(ctx, method, fmt.Sprintf("http://127.0.0.1:%d/v1/%s", w.server.Port(), path), in, out)
}

func (w *weaviateServer) end() error { return w.server.End() }

func (w *weaviateServer) crash() error   { return w.server.Crash() }
func (w *weaviateServer) recover() error { return w.server.Recover(context.Background()) }
