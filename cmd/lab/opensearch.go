package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"pruned/repo/testenv"
	"pruned/vectors/opensearch"
)

// openSearchServer has an index for each collection.
type openSearchServer struct{ server *testenv.OpenSearch }

func runOpenSearch(ctx context.Context, _ *lab) (vectorServer, error) {
	server, err := testenv.RunOpenSearch(ctx)
	return &openSearchServer{server}, err
}

func (o *openSearchServer) settings() []string {
	return []string{"VECTOR_DB=opensearch", "OPENSEARCH_URI=" + o.server.URL(), "OPENSEARCH_SSL=false"}
}

func (o *openSearchServer) storeName(ctx context.Context) (string, error) {
	store, err := opensearch.New(ctx, opensearch.Options{URL: o.server.URL()})
	if err != nil {
		return "", err
	}
	defer store.Close()
	return store.Info().Name, nil
}

const openSearchPrefix = "open_webui_"

func (o *openSearchServer) insert(ctx context.Context, chunks []chunk) error {
	indexes := map[string][]chunk{}
	for _, c := range chunks {
		indexes[openSearchPrefix+c.collection] = append(indexes[openSearchPrefix+c.collection], c)
	}
	for index, all := range indexes {
		made := map[string]any{"settings": map[string]any{"number_of_replicas": 0, "number_of_shards": 1}}
		if err := o.ask(ctx, http.MethodPut, url.PathEscape(index), made, nil); err != nil {
			return err
		}
		for some := range slices.Chunk(all, 2000) {
			if err := o.insertSome(ctx, index, some); err != nil {
				return err
			}
		}
	}
	return o.ask(ctx, http.MethodPost, openSearchPrefix+"*/_refresh", nil, nil)
}

func (o *openSearchServer) insertSome(ctx context.Context, index string, chunks []chunk) error {
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	for _, c := range chunks {
		_ = out.Encode(map[string]any{"index": map[string]any{"_id": c.id}})
		_ = out.Encode(map[string]any{"vector": []float32{1, 2}, "text": "some text", "metadata": c.metadata})
	}
	var answer struct{ Errors bool }
	err := o.ask(ctx, http.MethodPost, url.PathEscape(index)+"/_bulk", lines.String(), &answer)
	if err == nil && answer.Errors {
		err = fmt.Errorf("index %s did not take everything", index)
	}
	return err
}

// scrolled is a page of a listing.
type scrolled struct {
	Cursor string `json:"_scroll_id"`
	Hits   struct {
		Hits []struct {
			Index  string `json:"_index"`
			ID     string `json:"_id"`
			Source struct {
				Metadata map[string]any
			} `json:"_source"`
		}
	}
}

func (o *openSearchServer) list(ctx context.Context) (chunks []chunk, err error) {
	if err := o.ask(ctx, http.MethodPost, "_refresh", nil, nil); err != nil {
		return nil, err
	}
	var page scrolled
	err = o.ask(ctx, http.MethodPost, openSearchPrefix+"*/_search?scroll=1m&size=5000&allow_partial_search_results=false", nil, &page)
	cursor := page.Cursor
	for err == nil && len(page.Hits.Hits) > 0 {
		for _, hit := range page.Hits.Hits {
			chunks = append(chunks, chunk{hit.ID, strings.TrimPrefix(hit.Index, openSearchPrefix), hit.Source.Metadata})
		}
		cursor, page = page.Cursor, scrolled{}
		err = o.ask(ctx, http.MethodPost, "_search/scroll", map[string]string{"scroll": "1m", "scroll_id": cursor}, &page)
	}
	// It keeps 500 at most, one for each index of each listing.
	return chunks, errors.Join(err, o.ask(ctx, http.MethodDelete, "_search/scroll", map[string]string{"scroll_id": cursor}, nil))
}

func (o *openSearchServer) ask(ctx context.Context, method, path string, in, out any) error {
	return askJSON(ctx, method, o.server.URL()+"/"+path, in, out)
}

func (o *openSearchServer) end() error { return o.server.End() }
