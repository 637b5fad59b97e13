package lucene

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"net/http"
)

// cursorLife is how long the server keeps a listing between two pages.
const cursorLife = "5m"

// hit is a document in the words of the server.
type hit struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// shards says how many parts of an index have answered.
type shards struct{ Total, Failed int }

// scroll reads page by page. An index that is not there has none.
func (s *Server[I]) scroll(ctx context.Context, from I, size int, filters []Filter, fields any) iter.Seq2[[]hit, error] {
	return func(yield func([]hit, error) bool) {
		page, cursor, err := s.search(ctx, from, path(from, "/_search?scroll="+cursorLife+"&allow_partial_search_results=false"), map[string]any{
			"size": size, "sort": []string{"_doc"}, "query": queryOf(filters), "_source": fields,
		})
		for err == nil && len(page) > 0 && yield(page, nil) {
			var next string
			page, next, err = s.search(ctx, from, "_search/scroll", map[string]string{"scroll": cursorLife, "scroll_id": cursor})
			cursor = cmp.Or(next, cursor)
		}
		s.forget(context.WithoutCancel(ctx), cursor)
		if err != nil && !IsMissing(err) {
			yield(nil, err)
		}
	}
}

// forget lets the server forget a listing. It would by itself, later.
func (s *Server[I]) forget(ctx context.Context, cursor string) {
	if cursor != "" {
		_ = s.Call(ctx, "end a listing", http.MethodDelete, "_search/scroll", map[string]string{"scroll_id": cursor}, nil)
	}
}

// search is a page, and what the next is asked for by. It takes only an answer of all parts of
// the index, with what the documents say: of an index that keeps none of it nothing is known.
func (s *Server[I]) search(ctx context.Context, from I, path string, in any) (page []hit, cursor string, err error) {
	var answer struct {
		Cursor   string `json:"_scroll_id"`
		TimedOut *bool  `json:"timed_out"`
		Shards   shards `json:"_shards"`
		Hits     struct{ Hits []hit }
	}
	if err := s.Call(ctx, "read index "+from.Name(), http.MethodPost, path, in, &answer); err != nil {
		return nil, "", err
	}
	cursor = answer.Cursor
	if answer.TimedOut == nil || *answer.TimedOut || answer.Shards.Failed > 0 || answer.Shards.Total == 0 || cursor == "" {
		return nil, cursor, s.Unusable("has not answered about all of index %s", from.Name())
	}
	for _, hit := range answer.Hits.Hits {
		if hit.ID == "" || hit.Index != from.Name() {
			return nil, cursor, s.Unusable("answers about index %s with a document that is none of it", from.Name())
		}
		if len(hit.Source) == 0 {
			return nil, cursor, s.Unusable("does not say what is in document %s of index %s", hit.ID, from.Name())
		}
	}
	return answer.Hits.Hits, cursor, nil
}

// refresh makes a look see what was written before it.
func (s *Server[I]) refresh(ctx context.Context, of I) (there bool, err error) {
	var answer struct {
		Shards shards `json:"_shards"`
	}
	err = s.Call(ctx, "refresh index "+of.Name(), http.MethodPost, path(of, "/_refresh"), nil, &answer)
	if IsMissing(err) {
		return false, nil
	}
	if err == nil && (answer.Shards.Failed > 0 || answer.Shards.Total == 0) {
		err = s.Unusable("has not refreshed all of index %s", of.Name())
	}
	return true, err
}
