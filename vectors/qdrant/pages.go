package qdrant

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"regexp"

	"pruned/vectors/apart"
)

const (
	// pageSize is the application's own: a server may be told to refuse more.
	pageSize = 1000
	// documentsAtOnce bounds a page of points with their texts.
	documentsAtOnce = 200
)

// question is one for a page.
type question struct {
	Limit   int             `json:"limit"`
	Offset  json.RawMessage `json:"offset,omitempty"` // the id that it begins with
	Filter  *filter         `json:"filter,omitempty"`
	Payload any             `json:"with_payload"` // names, or true
	Vector  bool            `json:"with_vector"`
}

// point is one in the words of the server.
type point struct {
	ID      json.RawMessage
	Payload map[string]any
}

func (p point) id() string { return string(bytes.Trim(p.ID, `"`)) }

// scroll lists page by page, by ids. A collection that is not there has none.
func (s *server) scroll(ctx context.Context, from collection, in question) iter.Seq2[[]point, error] {
	return func(yield func([]point, error) bool) {
		for {
			page, next, err := s.readPage(ctx, from, in)
			if s.isMissing(ctx, from, err) || !yield(page, err) || err != nil || len(next) == 0 {
				return
			}
			in.Offset = next
		}
	}
}

// readPage is a page, and the id that the next begins with, if there is one.
func (s *server) readPage(ctx context.Context, from collection, in question) (page []point, next json.RawMessage, err error) {
	var answer struct {
		Result struct {
			Points *[]point
			Next   json.RawMessage `json:"next_page_offset"`
		}
	}
	if err := s.Call(ctx, "read collection "+from.Name(), http.MethodPost, from.path("/points/scroll"), in, &answer); err != nil {
		return nil, nil, err
	}
	if answer.Result.Points == nil {
		return nil, nil, s.Unusable("does not list the points of collection %s", from.Name())
	}
	for _, one := range *answer.Result.Points {
		if !isID(one.id()) {
			return nil, nil, s.Unusable("answers about collection %s with a point without an id", from.Name())
		}
	}
	if next = answer.Result.Next; string(next) == "null" {
		next = nil
	}
	if len(next) > 0 && bytes.Equal(next, in.Offset) {
		return nil, nil, s.Unusable("answers about collection %s with the same page again", from.Name())
	}
	return *answer.Result.Points, next, nil
}

// ReadDocuments lists points with all that is beside their vectors.
func (s *server) ReadDocuments(ctx context.Context, of collection) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		for page, err := range s.scroll(ctx, of, question{Limit: documentsAtOnce, Payload: true}) {
			documents := make([]apart.Document, len(page))
			for i, one := range page {
				documents[i] = apart.Document{ID: one.id(), Values: one.Payload}
			}
			if !yield(documents, err) || err != nil {
				return
			}
		}
	}
}

// Ids are UUIDs, which the server writes in its own spelling, or numbers, which only others
// store.
var (
	uuidID   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	numberID = regexp.MustCompile(`^(0|[1-9][0-9]{0,19})$`)
)

func isID(id string) bool { return uuidID.MatchString(id) || numberID.MatchString(id) }

func encodeID(id string) json.RawMessage {
	if numberID.MatchString(id) {
		return json.RawMessage(id)
	}
	return json.RawMessage(`"` + id + `"`)
}
