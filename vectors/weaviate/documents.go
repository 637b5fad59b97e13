package weaviate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"pruned/vectors/apart"
	"pruned/vectors/rest"
)

// documentsAtOnce bounds a page of objects with their texts.
const documentsAtOnce = 200

// ReadDocuments lists objects by their ids. A page that is refused is asked for in parts: the
// server may have a lower bound for an answer.
func (s *server) ReadDocuments(ctx context.Context, of class) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		if of.tenants {
			yield(nil, fmt.Errorf("class %s has tenants: %w", of.name, apart.ErrUnread))
			return
		}
		limit := documentsAtOnce
		for after := ""; ; {
			page, err := s.readDocuments(ctx, of, after, limit)
			var refusal *rest.RefusalError
			if errors.As(err, &refusal) && refusal.Status == http.StatusUnprocessableEntity && limit > smallestPage {
				limit /= 2
				continue
			}
			if !yield(page, err) || err != nil || len(page) < limit {
				return
			}
			last := page[len(page)-1].ID
			if last <= after {
				yield(nil, s.Unusable("answers about class %s with ids that do not ascend", of.name))
				return
			}
			after = last
		}
	}
}

func (s *server) readDocuments(ctx context.Context, of class, after string, limit int) (page []apart.Document, err error) {
	var answer struct {
		Objects []struct {
			ID         string
			Properties map[string]any
		}
	}
	query := url.Values{"class": {of.name}, "limit": {fmt.Sprint(limit)}, "after": {after}}
	if err := s.Call(ctx, "read class "+of.name, http.MethodGet, "objects?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	for _, one := range answer.Objects {
		page = append(page, apart.Document{ID: one.ID, Values: one.Properties})
	}
	return page, nil
}
