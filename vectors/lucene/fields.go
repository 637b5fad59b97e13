package lucene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"pruned/vectors/rest"
)

// Names are what there is of a pattern.
type Names struct {
	Indexes []struct {
		Name       string
		Attributes []string
	} `json:"indices"`
	Aliases []struct{ Name string }
	Streams []struct{ Name string } `json:"data_streams"`
}

// Resolve asks what there is of a pattern, in which states.
func (s *Server[I]) Resolve(ctx context.Context, pattern, states string) (names Names, err error) {
	err = s.Call(ctx, "list the names of indexes", http.MethodGet, "_resolve/index/"+pattern+"?expand_wildcards="+states, nil, &names)
	if err == nil && names.Indexes == nil {
		err = s.Unusable("does not list its indexes")
	}
	return names, err
}

// Fields are what a server says of the fields of one index, by their full names.
type Fields map[string]struct {
	Mapping map[string]struct {
		Type        string
		IgnoreAbove *int `json:"ignore_above"`
		Index       *bool
	}
}

// ReadFields asks each open index of a pattern for these fields. It names indexes themselves
// where there are other names for them.
func (s *Server[I]) ReadFields(ctx context.Context, pattern string, names []string, note func(index string, has Fields)) error {
	path := pattern + "/_mapping/field/" + strings.Join(names, ",") + "?expand_wildcards=open,hidden"
	err := s.Call(ctx, "list the indexes", http.MethodGet, path, nil, rest.Pieces(func(from *json.Decoder) error {
		if got, err := from.Token(); err != nil || got != json.Delim('{') {
			return fmt.Errorf("it begins with %v: %w", got, err)
		}
		for from.More() {
			name, err := from.Token()
			var one struct{ Mappings Fields }
			if err == nil {
				err = from.Decode(&one)
			}
			if err != nil {
				return err
			}
			note(fmt.Sprint(name), one.Mappings)
		}
		_, err := from.Token() // a list that was cut has no end
		return err
	}))
	var refusal *rest.RefusalError
	if errors.As(err, &refusal) && refusal.Status == http.StatusNotFound && string(refusal.Body) == "{}" {
		return nil // no index at all
	}
	return err
}

// Keyword is a field by which a filter finds whole values. The zero value is none.
type Keyword struct {
	name    string
	longest int // in characters
}

// noLimit is what a field without a limit takes: the server's own is longer than any id.
const noLimit = 8000

// Keyword is a field as far as a filter finds its values.
func (f Fields) Keyword(name string) Keyword {
	one := Keyword{name: name}
	for _, field := range f[name].Mapping {
		switch {
		case field.Type != "keyword" || field.Index != nil && !*field.Index:
		case field.IgnoreAbove == nil:
			one.longest = noLimit
		default:
			one.longest = *field.IgnoreAbove
		}
	}
	return one
}

// Exists says that a filter finds values there.
func (k Keyword) Exists() bool { return k.longest > 0 }

// Filter is a condition of a search; nil is none.
type Filter map[string]any

// Filter finds all with one of these values; it is none where it might miss one.
func (k Keyword) Filter(values []string) Filter {
	tooLong := func(value string) bool { return utf8.RuneCountInString(value) > k.longest }
	if len(values) == 0 || slices.ContainsFunc(values, tooLong) {
		return nil
	}
	return Filter{"terms": map[string]any{k.name: values}}
}

// ByIDs finds documents by their ids, if there are any.
func ByIDs(ids []string) Filter {
	if len(ids) == 0 {
		return nil
	}
	return Filter{"ids": map[string]any{"values": ids}}
}

// queryOf finds what all filters do.
func queryOf(filters []Filter) map[string]any {
	filters = slices.DeleteFunc(slices.Clone(filters), func(one Filter) bool { return one == nil })
	if len(filters) == 0 {
		return map[string]any{"match_all": map[string]any{}}
	}
	return map[string]any{"bool": map[string]any{"filter": filters}}
}
