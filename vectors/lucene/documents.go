package lucene

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"pruned/vectors"
	"pruned/vectors/apart"
)

const (
	// pageSize is what a server answers with at most, unless an index says otherwise.
	pageSize = 5000
	// documentsAtOnce bounds a page of documents with their texts.
	documentsAtOnce = 200
	// longestID is the longest id of a document that a server takes, in bytes.
	longestID = 512
)

// Read lists documents as they were when it began. What the server's filters let through is
// compared here.
func (s *Server[I]) Read(ctx context.Context, from I, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		fields := []string{CollectionField, FileField, metaField + "." + makerKey, metaField + "." + vectors.NameKey}
		for page, err := range s.scroll(ctx, from, pageSize, from.Filters(q), fields) {
			points := make([]apart.Point, len(page))
			for i, one := range page {
				points[i] = one.toPoint()
			}
			if !yield(q.Choose(points), err) || err != nil {
				return
			}
		}
	}
}

// ReadFirst refreshes the index first: a look sees only what the last refresh saw.
func (s *Server[I]) ReadFirst(ctx context.Context, from I, q apart.Question) ([]apart.Point, error) {
	if there, err := s.refresh(ctx, from); err != nil || !there {
		return nil, err
	}
	for page, err := range s.Read(ctx, from, q) {
		if err != nil || len(page) > 0 {
			return page, err
		}
	}
	return nil, nil
}

// toPoint is of no file where the document has no name: it is not Open WebUI's then.
func (h hit) toPoint() apart.Point {
	one := apart.Point{ID: h.ID}
	var document struct {
		Collection any
		Metadata   map[string]any
	}
	if json.Unmarshal(h.Source, &document) != nil {
		return one
	}
	one.Collection, _ = document.Collection.(string)
	one.Maker, _ = document.Metadata[makerKey].(string)
	if document.Metadata[vectors.NameKey] != nil {
		one.File, _ = document.Metadata[fileKey].(string)
	}
	return one
}

// ReadDocuments reads all fields but the application's vectors.
func (s *Server[I]) ReadDocuments(ctx context.Context, from I) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		fields := map[string]any{"excludes": []string{"vector"}}
		for page, err := range s.scroll(ctx, from, documentsAtOnce, nil, fields) {
			documents, err := toDocuments(page, err)
			if !yield(documents, err) || err != nil {
				return
			}
		}
	}
}

// toDocuments passes on that a page was not read.
func toDocuments(page []hit, err error) ([]apart.Document, error) {
	documents := make([]apart.Document, len(page))
	for i, one := range page {
		documents[i].ID = one.ID
		if err := json.Unmarshal(one.Source, &documents[i].Values); err != nil {
			return nil, fmt.Errorf("read document %s of index %s: %w", one.ID, one.Index, err)
		}
	}
	return documents, err
}

// Count counts what is in an index.
func (s *Server[I]) Count(ctx context.Context, of I) (int64, error) {
	if there, err := s.refresh(ctx, of); err != nil || !there {
		return 0, err
	}
	var answer struct{ Count int64 }
	err := s.Call(ctx, "count index "+of.Name(), http.MethodGet, path(of, "/_count"), nil, &answer)
	if IsMissing(err) {
		return 0, nil
	}
	return answer.Count, err
}

// Drop drops an index. A running application finds nothing there, and makes it again when it
// writes.
func (s *Server[I]) Drop(ctx context.Context, one I) error {
	err := s.Call(ctx, "drop index "+one.Name(), http.MethodDelete, path(one, ""), nil, nil)
	if IsMissing(err) {
		return nil
	}
	return err
}

// CanHave says whether a document can have an id.
func (s *Server[I]) CanHave(id string) bool { return id != "" && len(id) <= longestID }

// deletion is what the server says of one document.
type deletion struct {
	Status int
	Error  struct{ Type, Reason string }
}

// Delete deletes documents by their ids, which it says of each.
func (s *Server[I]) Delete(ctx context.Context, from I, ids []string) error {
	for some := range slices.Chunk(ids, pageSize) {
		var lines strings.Builder
		for _, id := range some {
			line, err := json.Marshal(map[string]any{"delete": map[string]string{"_id": id}})
			if err != nil {
				return err
			}
			lines.Write(append(line, '\n'))
		}
		var answer struct {
			Items []struct{ Delete deletion }
		}
		if err := s.Call(ctx, fmt.Sprintf("delete %d documents of index %s", len(some), from.Name()), http.MethodPost, path(from, "/_bulk"), lines.String(), &answer); err != nil {
			return err
		}
		for _, item := range answer.Items {
			if d := item.Delete; d.Status > 299 && (d.Status != http.StatusNotFound || d.Error.Type != "") {
				return s.Unusable("does not delete from index %s: %.300s", from.Name(), d.Error.Reason)
			}
		}
	}
	return nil
}
