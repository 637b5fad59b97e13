package apart

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"pruned/repo/trace"
)

// ErrUnread marks that one of the server's collections cannot be read, whichever way.
var ErrUnread = errors.New("only its name was searched")

// Document is all that a server tells of a point, but for vectors.
type Document struct {
	ID     string
	Values map[string]any // as of JSON, by name
}

// Trace reads each of the server's collections that are listed, whoever made it: its name,
// and of each point all values.
func (s *Store[P]) Trace(ctx context.Context, search *trace.Search) error {
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		place := trace.Place{Store: s.name, Table: one.Name(), Column: "name"}
		if err := countTexts(search, place, one.Name(), one.Collection()); err != nil {
			return err
		}
		switch err := s.traceDocuments(ctx, search, one); {
		case errors.Is(err, ErrUnread):
			search.NoteGap(s.name, one.Name(), err)
		case err != nil:
			return err
		default:
			search.NoteSearched(s.name, one.Name())
		}
	}
	return nil
}

func (s *Store[P]) traceDocuments(ctx context.Context, search *trace.Search, of P) error {
	seen := int64(0)
	for page, err := range s.server.ReadDocuments(ctx, of) {
		if err != nil {
			return err
		}
		for _, one := range page {
			place := trace.Place{Store: s.name, Table: of.Name(), Row: one.ID, Column: "id"}
			if err := countTexts(search, place, one.ID); err != nil {
				return err
			}
			if err := traceValues(search, place, "", one.Values); err != nil {
				return err
			}
		}
		seen += int64(len(page))
		search.Progress(s.name+" "+of.Name(), seen, 0)
	}
	return nil
}

// traceValues searches each value apart, those of an object by its name and theirs.
func traceValues(search *trace.Search, place trace.Place, prefix string, values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var err error
		if inner, is := values[key].(map[string]any); is {
			err = traceValues(search, place, prefix+key+" ", inner)
		} else {
			place.Column = prefix + key
			err = countTexts(search, place, fmt.Sprint(values[key]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// countTexts tells the place once, where the text is in one of these at least.
func countTexts(search *trace.Search, place trace.Place, texts ...string) error {
	for _, text := range slices.Compact(texts) {
		place.Count = max(place.Count, search.Count([]byte(text)))
	}
	return search.AddCount(place)
}
