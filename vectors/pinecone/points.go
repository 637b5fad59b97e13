package pinecone

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pruned/vectors"
	"pruned/vectors/apart"
)

// What the service takes and gives with one request.
const (
	queriedAtOnce = 10_000
	listedAtOnce  = 100
	deletedAtOnce = 1000
	valuesAtOnce  = 100 // of a filter
	longestID     = 512
)

// firstPause is until it is asked again whether what is not there is still shown.
const firstPause = 100 * time.Millisecond

// prefix is what the application's names of collections begin with, whatever its settings
// say. Other points are other programs'.
const prefix = "open-webui_"

const (
	collectionKey = "collection_name"
	fileKey       = "file_id"
	makerKey      = "created_by"
)

// vector is a point in Pinecone's words.
type vector struct {
	ID       string
	Metadata map[string]any
}

// points leaves out what is somebody else's. A chunk without a name is not Open WebUI's.
func points(found []vector) (list []apart.Point) {
	for _, v := range found {
		name, _ := v.Metadata[collectionKey].(string)
		collection, ours := strings.CutPrefix(name, prefix)
		if !ours {
			continue
		}
		p := apart.Point{ID: v.ID, Collection: collection}
		p.Maker, _ = v.Metadata[makerKey].(string)
		if v.Metadata[vectors.NameKey] != nil {
			p.File, _ = v.Metadata[fileKey].(string)
		}
		list = append(list, p)
	}
	return list
}

// Read queries where the answer is sure to have everything, and lists all else.
func (s *server) Read(ctx context.Context, from *index, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		var found []apart.Point
		whole := len(q.Collections)+len(q.Files) > 0
		for filter, ids := range narrow(q) {
			page, err := s.ask(ctx, from, filter, ids)
			if err != nil {
				yield(nil, err)
				return
			}
			whole = whole && page.whole
			found = append(found, page.points...)
		}
		if whole {
			yield(q.Choose(found), nil)
			return
		}
		for page, err := range s.listAll(ctx, from) {
			if !yield(q.Choose(points(page)), err) || err != nil {
				return
			}
		}
	}
}

// ReadFirst are some that are meant and shown as of now. What is shown and not there hides
// others: it is asked again until it is not shown any more.
func (s *server) ReadFirst(ctx context.Context, from *index, q apart.Question) ([]apart.Point, error) {
	for filter, ids := range narrow(q) {
		for until, pause := time.Now().Add(s.freshness), firstPause; ; pause *= 2 {
			page, err := s.ask(ctx, from, filter, ids)
			meant := q.Choose(page.points)
			if err != nil || len(meant) > 0 {
				return meant, err
			}
			if page.whole && !page.late {
				break
			}
			if !page.late || time.Now().After(until) {
				return nil, s.Unusable("it shows so many other points that what is looked for cannot be seen")
			}
			if err := vectors.Wait(ctx, pause); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// narrow are the filters, or the ids, by which what is meant is asked for. Of everything there
// is no such question.
func narrow(q apart.Question) iter.Seq2[map[string]any, []string] {
	return func(yield func(map[string]any, []string) bool) {
		if len(q.IDs) > 0 {
			yield(nil, q.IDs)
			return
		}
		key, values := fileKey, q.Files
		if len(q.Collections) > 0 {
			key, values = collectionKey, nil
			for _, name := range q.Collections {
				values = append(values, prefix+name)
			}
		}
		for some := range slices.Chunk(values, valuesAtOnce) {
			if !yield(map[string]any{key: map[string]any{"$in": some}}, nil) {
				return
			}
		}
	}
}

// answered is what a narrow question came to.
type answered struct {
	points []apart.Point
	whole  bool // that was all
	late   bool // it shows some that are not there
}

// ask fetches what a filter finds, or ids.
func (s *server) ask(ctx context.Context, at *index, filter map[string]any, ids []string) (a answered, err error) {
	a.whole = true
	if filter != nil {
		if ids, err = s.query(ctx, at, filter); err != nil {
			return a, err
		}
		a.whole = len(ids) < queriedAtOnce
	}
	found, err := s.fetch(ctx, at, ids)
	a.points, a.late = points(found), filter != nil && len(found) < len(ids)
	return a, err
}

// query asks for the nearest of what a filter finds, whichever those are.
func (s *server) query(ctx context.Context, at *index, filter map[string]any) (ids []string, err error) {
	somewhere := make([]float32, at.dimension)
	somewhere[0] = 1
	var answer struct{ Matches *[]vector }
	if err := at.Call(ctx, "query", http.MethodPost, "query", map[string]any{"vector": somewhere, "topK": queriedAtOnce, "filter": filter}, &answer); err != nil {
		return nil, err
	}
	if answer.Matches == nil {
		return nil, s.Unusable("it answers a query without matches")
	}
	for _, v := range *answer.Matches {
		ids = append(ids, v.ID)
	}
	return ids, nil
}

// listAll lists ids, and fetches each page of them.
func (s *server) listAll(ctx context.Context, at *index) iter.Seq2[[]vector, error] {
	return func(yield func([]vector, error) bool) {
		for token := ""; ; {
			ids, next, err := s.listIDs(ctx, at, token)
			var page []vector
			if err == nil && len(ids) > 0 {
				page, err = s.fetch(ctx, at, ids)
			}
			if err == nil && next != "" && next == token {
				err = s.Unusable("its list does not go on")
			}
			if !yield(page, err) || err != nil || next == "" {
				return
			}
			token = next
		}
	}
}

// ReadDocuments reads all metadata, whoever's, of which the application's text is one.
func (s *server) ReadDocuments(ctx context.Context, of *index) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		for page, err := range s.listAll(ctx, of) {
			var documents []apart.Document
			for _, v := range page {
				documents = append(documents, apart.Document{ID: v.ID, Values: v.Metadata})
			}
			if !yield(documents, err) || err != nil {
				return
			}
		}
	}
}

func (s *server) listIDs(ctx context.Context, at *index, token string) (ids []string, next string, err error) {
	query := url.Values{"limit": {fmt.Sprint(listedAtOnce)}}
	if token != "" {
		query.Set("paginationToken", token)
	}
	var answer struct {
		Vectors    *[]struct{ ID string }
		Pagination struct{ Next string }
	}
	if err := at.Call(ctx, "list the ids", http.MethodGet, "vectors/list?"+query.Encode(), nil, &answer); err != nil {
		return nil, "", err
	}
	if answer.Vectors == nil {
		return nil, "", s.Unusable("it lists no vectors")
	}
	for _, v := range *answer.Vectors {
		ids = append(ids, v.ID)
	}
	return ids, answer.Pagination.Next, nil
}

// fetch asks for points by their ids. What is not there is left out.
func (s *server) fetch(ctx context.Context, at *index, ids []string) (list []vector, err error) {
	for some := range slices.Chunk(ids, listedAtOnce) {
		var answer struct{ Vectors *map[string]vector }
		if err := at.Call(ctx, "fetch points", http.MethodGet, "vectors/fetch?"+url.Values{"ids": some}.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		if answer.Vectors == nil {
			return nil, s.Unusable("it fetches no vectors")
		}
		for id, v := range *answer.Vectors {
			if v.ID != id {
				return nil, s.Unusable("it fetches another vector than was asked for")
			}
			list = append(list, v)
		}
	}
	return list, nil
}

// MaxDelete is what one request takes.
func (s *server) MaxDelete() int { return deletedAtOnce }

// Delete deletes points by their ids.
func (s *server) Delete(ctx context.Context, from *index, ids []string) error {
	return from.Call(ctx, fmt.Sprintf("delete %d points", len(ids)), http.MethodPost, "vectors/delete", map[string]any{"ids": ids}, nil)
}

// CanHave says whether a point can have this id.
func (s *server) CanHave(id string) bool {
	return id != "" && len(id) <= longestID && !strings.ContainsFunc(id, func(r rune) bool { return r > 127 || r == 0 })
}
