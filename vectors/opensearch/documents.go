package opensearch

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"pruned/vectors"
	"pruned/vectors/apart"
)

const (
	// pageSize is what a server answers with at most, unless an index says otherwise.
	pageSize = 5000
	// cursorLife is how long the server keeps a listing between two pages.
	cursorLife = "5m"
	// longestID is the longest id of a document that a server takes, in bytes.
	longestID = 512
)

// Read lists documents as they were when it began. What the server's filter let through is
// compared here.
func (s *server) Read(ctx context.Context, from index, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		fields := []string{fileField, metaField + "." + makerKey, metaField + "." + vectors.NameKey}
		for page, err := range s.scroll(ctx, from, pageSize, from.filter(q), fields) {
			points, err := readPoints(page, err)
			if !yield(q.Choose(points), err) || err != nil {
				return
			}
		}
	}
}

// documentsAtOnce bounds a page of documents with their texts.
const documentsAtOnce = 200

// ReadDocuments reads all fields but the application's vectors.
func (s *server) ReadDocuments(ctx context.Context, from index) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		fields := map[string]any{"excludes": []string{"vector"}}
		for page, err := range s.scroll(ctx, from, documentsAtOnce, from.filter(apart.Question{}), fields) {
			documents, err := readDocuments(page, err)
			if !yield(documents, err) || err != nil {
				return
			}
		}
	}
}

// scroll reads page by page. An index that is not there has none.
func (s *server) scroll(ctx context.Context, from index, size int, query, fields any) iter.Seq2[[]hit, error] {
	return func(yield func([]hit, error) bool) {
		page, err := s.search(ctx, from, from.path("/_search?scroll="+cursorLife+"&allow_partial_search_results=false"), map[string]any{
			"size": size, "sort": []string{"_doc"}, "query": query, "_source": fields,
		})
		for err == nil && len(page.hits) > 0 && yield(page.hits, nil) {
			page, err = s.search(ctx, from, "_search/scroll", map[string]string{"scroll": cursorLife, "scroll_id": page.cursor})
		}
		s.forget(context.WithoutCancel(ctx), page.cursor)
		if err != nil && !isMissing(err) {
			yield(nil, err)
		}
	}
}

// forget lets the server forget a listing. It would by itself, later.
func (s *server) forget(ctx context.Context, cursor string) {
	if cursor != "" {
		_ = s.Call(ctx, "end a listing", http.MethodDelete, "_search/scroll", map[string]string{"scroll_id": cursor}, nil)
	}
}

// ReadFirst refreshes the index first: a look sees only what the last refresh saw.
func (s *server) ReadFirst(ctx context.Context, from index, q apart.Question) ([]apart.Point, error) {
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

// shards says how many parts of an index have answered.
type shards struct{ Total, Failed int }

func (s *server) refresh(ctx context.Context, of index) (there bool, err error) {
	var answer struct {
		Shards shards `json:"_shards"`
	}
	err = s.Call(ctx, "refresh index "+of.name, http.MethodPost, of.path("/_refresh"), nil, &answer)
	if isMissing(err) {
		return false, nil
	}
	if err == nil && (answer.Shards.Failed > 0 || answer.Shards.Total == 0) {
		err = s.Unusable("has not refreshed all of index %s", of.name)
	}
	return true, err
}

// filter lets at least through what is meant.
func (i index) filter(q apart.Question) map[string]any {
	if len(q.IDs) > 0 {
		return map[string]any{"ids": map[string]any{"values": q.IDs}}
	}
	tooLong := func(id string) bool { return utf8.RuneCountInString(id) > i.longest }
	if len(q.Files) == 0 || slices.ContainsFunc(q.Files, tooLong) {
		return map[string]any{"match_all": map[string]any{}}
	}
	return map[string]any{"terms": map[string]any{exactField: q.Files}}
}

// found is a page, and what the next is asked for by.
type found struct {
	hits   []hit
	cursor string
}

// hit is a document in the words of the server.
type hit struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// hits are the server's answer to a search.
type hits struct {
	Cursor   string `json:"_scroll_id"`
	TimedOut *bool  `json:"timed_out"`
	Shards   shards `json:"_shards"`
	Hits     struct{ Hits []hit }
}

// search takes only an answer of all parts of the index.
func (s *server) search(ctx context.Context, from index, path string, in any) (page found, err error) {
	var answer hits
	if err := s.Call(ctx, "read index "+from.name, http.MethodPost, path, in, &answer); err != nil {
		return page, err
	}
	page.cursor = answer.Cursor
	if answer.TimedOut == nil || *answer.TimedOut || answer.Shards.Failed > 0 || answer.Shards.Total == 0 || answer.Cursor == "" {
		return page, s.Unusable("has not answered about all of index %s", from.name)
	}
	for _, hit := range answer.Hits.Hits {
		if hit.ID == "" || hit.Index != from.name {
			return page, s.Unusable("answers about index %s with a document that is none of it", from.name)
		}
	}
	page.hits = answer.Hits.Hits
	return page, nil
}

// readPoints passes on that a page was not read.
func readPoints(page []hit, err error) ([]apart.Point, error) {
	points := make([]apart.Point, len(page))
	for i, one := range page {
		points[i].ID = one.ID
		points[i].File, points[i].Maker = readMetadata(one.Source)
	}
	return points, err
}

// readMetadata is the file of a chunk, and who made it. Without a name it is not Open
// WebUI's.
func readMetadata(source []byte) (file, maker string) {
	var document struct{ Metadata map[string]any }
	if json.Unmarshal(source, &document) != nil {
		return "", ""
	}
	maker, _ = document.Metadata[makerKey].(string)
	if document.Metadata[vectors.NameKey] != nil {
		file, _ = document.Metadata[fileKey].(string)
	}
	return file, maker
}

func readDocuments(page []hit, err error) ([]apart.Document, error) {
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
func (s *server) Count(ctx context.Context, of index) (int64, error) {
	if there, err := s.refresh(ctx, of); err != nil || !there {
		return 0, err
	}
	var answer struct {
		Count  int64
		Shards shards `json:"_shards"`
	}
	err := s.Call(ctx, "count index "+of.name, http.MethodGet, of.path("/_count"), nil, &answer)
	if isMissing(err) {
		return 0, nil
	}
	return answer.Count, err
}

// Drop drops an index. A running application finds nothing there, and makes it again when it
// writes.
func (s *server) Drop(ctx context.Context, one index) error {
	err := s.Call(ctx, "drop index "+one.name, http.MethodDelete, one.path(""), nil, nil)
	if isMissing(err) {
		return nil
	}
	return err
}

// CanHave says whether a document can have an id.
func (s *server) CanHave(id string) bool { return id != "" && len(id) <= longestID }

// deletion is what the server says of one document.
type deletion struct {
	Status int
	Error  struct{ Type, Reason string }
}

// Delete deletes documents by their ids, which it says of each.
func (s *server) Delete(ctx context.Context, from index, ids []string) error {
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
		if err := s.Call(ctx, fmt.Sprintf("delete %d documents of index %s", len(some), from.name), http.MethodPost, from.path("/_bulk"), lines.String(), &answer); err != nil {
			return err
		}
		for _, item := range answer.Items {
			if d := item.Delete; d.Status > 299 && (d.Status != http.StatusNotFound || d.Error.Type != "") {
				return s.Unusable("does not delete from index %s: %.300s", from.name, d.Error.Reason)
			}
		}
	}
	return nil
}
