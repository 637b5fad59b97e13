package opensearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"pruned/vectors"
	"pruned/vectors/rest"
)

// prefix is what the application's names begin with, whatever its settings say. Other
// indexes are other programs'.
const prefix = "open_webui_"

const (
	metaField = "metadata"
	fileKey   = "file_id"
	makerKey  = "created_by"
	fileField = metaField + "." + fileKey
	// exactField has the value as a whole, unless that is longer than the field takes.
	exactField = fileField + ".keyword"
)

// index is one of the server's. Only List makes one, so that a name is never a pattern.
type index struct {
	name       string
	collection string
	files      bool // documents have the key of a file
	// longest is the longest id that exactField has; 0: it has none.
	longest int
}

func (i index) Name() string       { return i.name }
func (i index) Collection() string { return i.collection }
func (i index) HoldsFiles() bool   { return i.files }

// path is of a request about the index.
func (i index) path(action string) string { return url.PathEscape(i.name) + action }

// described is an index in the words of the server: the fields of which it was asked.
type described struct {
	Mappings map[string]struct {
		Mapping map[string]struct {
			Type        string
			IgnoreAbove *int `json:"ignore_above"`
			Index       *bool
		}
	}
}

// requireOpen fails where an index of the application's is closed: nothing can be read
// there, and it looks empty.
func (s *server) requireOpen(ctx context.Context) error {
	var answer struct{ Indices []struct{ Name string } }
	if err := s.Call(ctx, "list the closed indexes", http.MethodGet, "_resolve/index/"+prefix+"*?expand_wildcards=closed", nil, &answer); err != nil {
		return err
	}
	for _, closed := range answer.Indices {
		if (described{}).toIndex(closed.Name).collection != "" {
			return s.Unusable("has index %s closed: nothing can be found there until it is opened", closed.Name)
		}
	}
	return nil
}

// List asks for the application's indexes and how each knows files. It names indexes
// themselves where there are other names for them.
func (s *server) List(ctx context.Context) (list []index, err error) {
	if err := s.requireOpen(ctx); err != nil {
		return nil, err
	}
	path := fmt.Sprintf("%s*/_mapping/field/%s,%s?expand_wildcards=open,hidden", prefix, fileField, exactField)
	err = s.Call(ctx, "list the indexes", http.MethodGet, path, nil, rest.Pieces(func(from *json.Decoder) error {
		if got, err := from.Token(); err != nil || got != json.Delim('{') {
			return fmt.Errorf("it begins with %v: %w", got, err)
		}
		for from.More() {
			name, err := from.Token()
			var one described
			if err == nil {
				err = from.Decode(&one)
			}
			if err != nil {
				return err
			}
			list = append(list, one.toIndex(fmt.Sprint(name)))
		}
		_, err := from.Token() // a list that was cut has no end
		return err
	}))
	var refusal *rest.RefusalError
	if errors.As(err, &refusal) && refusal.Status == http.StatusNotFound && string(refusal.Body) == "{}" {
		return nil, nil // no index at all
	}
	return list, err
}

// noLimit is what a field without a limit takes: the server's own is longer than any id.
const noLimit = 8000

func (d described) toIndex(name string) index {
	one := index{name: name}
	if logical, ours := strings.CutPrefix(name, prefix); ours {
		if _, own := vectors.CollectionOwner(logical); own || vectors.IsKnown(logical) {
			one.collection = logical
		}
	}
	_, one.files = d.Mappings[fileField]
	for _, field := range d.Mappings[exactField].Mapping {
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

// isMissing says that an index is not there, by the server's own word for it.
func isMissing(err error) bool {
	var refusal *rest.RefusalError
	if !errors.As(err, &refusal) || refusal.Status != http.StatusNotFound {
		return false
	}
	var said struct{ Error struct{ Type string } }
	return json.Unmarshal(refusal.Body, &said) == nil && said.Error.Type == "index_not_found_exception"
}
