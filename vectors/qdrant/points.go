package qdrant

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"

	"pruned/vectors"
	"pruned/vectors/apart"
)

const (
	tenantField = "tenant_id"
	metaField   = "metadata"

	fileKey  = "file_id"
	makerKey = "created_by"

	// everywhere is how deletions are asked for: they are done in order, and answered when all
	// replicas that take part have carried them out. One that fails has to learn all from another
	// before it takes part again.
	everywhere = "?wait=true&ordering=strong"
)

// condition is one that a point has to meet.
type condition struct {
	IDs   []string `json:"has_id,omitempty"`
	Key   string   `json:"key,omitempty"`
	Match *match   `json:"match,omitempty"`
}

type match struct {
	Any []string `json:"any"`
}

// filter is of questions alone. One without conditions is not sent.
type filter struct {
	Must []condition `json:"must"`
}

// filterOf lets at least through what is meant.
func filterOf(q apart.Question) *filter {
	var f filter
	if len(q.IDs) > 0 {
		f.Must = append(f.Must, condition{IDs: q.IDs})
	}
	if len(q.Collections) > 0 {
		f.Must = append(f.Must, condition{Key: tenantField, Match: &match{q.Collections}})
	}
	if len(q.Files) > 0 {
		f.Must = append(f.Must, condition{Key: metaField + "." + fileKey, Match: &match{q.Files}})
	}
	if len(f.Must) == 0 {
		return nil
	}
	return &f
}

// ReadFirst asks one replica. To ask several (consistency) would hide what only some of them
// still have, and end a listing where that fills a page.
func (s *server) ReadFirst(ctx context.Context, from collection, q apart.Question) ([]apart.Point, error) {
	for some, err := range s.Read(ctx, from, q) {
		if err != nil || len(some) > 0 {
			return some, err
		}
	}
	return nil, nil
}

// Read compares what the server's filter let through.
func (s *server) Read(ctx context.Context, from collection, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		in := question{Limit: pageSize, Filter: filterOf(q), Payload: []string{
			tenantField, metaField + "." + fileKey, metaField + "." + makerKey, metaField + "." + vectors.NameKey,
		}}
		for page, err := range s.scroll(ctx, from, in) {
			points := make([]apart.Point, len(page))
			for i, one := range page {
				points[i] = one.toPoint(from)
			}
			if !yield(q.Choose(points), err) || err != nil {
				return
			}
		}
	}
}

// toPoint takes a tenant for a collection where the shelf has such.
func (p point) toPoint(from collection) apart.Point {
	one := apart.Point{ID: p.id()}
	one.File, one.Maker = readMetadata(p.Payload[metaField])
	if on, is := from.(shelf); is {
		if tenant, _ := p.Payload[tenantField].(string); on.Takes(tenant) {
			one.Collection = tenant
		}
	}
	return one
}

// readMetadata is the file of a chunk, and who made it. Without a name it is not Open
// WebUI's.
func readMetadata(value any) (file, maker string) {
	metadata, _ := value.(map[string]any)
	maker, _ = metadata[makerKey].(string)
	if metadata[vectors.NameKey] != nil {
		file, _ = metadata[fileKey].(string)
	}
	return file, maker
}

// Count counts what is in a collection.
func (s *server) Count(ctx context.Context, of collection) (int64, error) {
	var answer struct {
		Result struct{ Count *int64 }
	}
	err := s.Call(ctx, "count collection "+of.Name(), http.MethodPost, of.path("/points/count"), map[string]bool{"exact": true}, &answer)
	if s.isMissing(ctx, of, err) {
		return 0, nil
	}
	if err == nil && answer.Result.Count == nil {
		err = s.Unusable("does not count collection %s", of.Name())
	}
	if err != nil {
		return 0, err
	}
	return *answer.Result.Count, nil
}

// Drop drops a collection. A running application finds nothing there, and makes it again when
// it writes.
func (s *server) Drop(ctx context.Context, one collection) error {
	return s.Call(ctx, "drop collection "+one.Name(), http.MethodDelete, one.path(""), nil, nil)
}

// deletion names points, and nothing else: a filter that is empty would be all of them.
type deletion struct {
	Points []json.RawMessage `json:"points"`
}

// Delete deletes points in the order that the leader of their shard knows, and waits until
// that has been done.
func (s *server) Delete(ctx context.Context, from collection, ids []string) error {
	var in deletion
	for _, id := range ids {
		in.Points = append(in.Points, encodeID(id))
	}
	return s.Call(ctx, fmt.Sprintf("delete %d points of collection %s", len(ids), from.Name()), http.MethodPost, from.path("/points/delete")+everywhere, in, nil)
}

// CanHave says that a point of the application's has a UUID.
func (s *server) CanHave(id string) bool { return uuidID.MatchString(id) }
