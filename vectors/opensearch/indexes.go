package opensearch

import (
	"context"
	"strings"

	"pruned/vectors"
	"pruned/vectors/apart"
	"pruned/vectors/lucene"
)

// prefix is what the application's names begin with, whatever its settings say. Other
// indexes are other programs'.
const prefix = "open_webui_"

// exactField has the value as a whole, unless that is longer than the field takes.
const exactField = lucene.FileField + ".keyword"

// index is one of the server's. Only List makes one, so that a name is never a pattern.
type index struct {
	name       string
	collection string
	files      bool // documents have the key of a file
	exact      lucene.Keyword
}

func (i index) Name() string       { return i.name }
func (i index) Collection() string { return i.collection }
func (i index) HoldsFiles() bool   { return i.files }

// Filters are of ids, or of files.
func (i index) Filters(q apart.Question) []lucene.Filter {
	return []lucene.Filter{lucene.ByIDs(q.IDs), i.exact.Filter(q.Files)}
}

// requireOpen fails where an index of the application's is closed: nothing can be read
// there, and it looks empty.
func (s *server) requireOpen(ctx context.Context) error {
	names, err := s.Resolve(ctx, prefix+"*", "closed")
	if err != nil {
		return err
	}
	for _, closed := range names.Indexes {
		if toIndex(closed.Name, nil).collection != "" {
			return s.Unusable("has index %s closed: nothing can be found there until it is opened", closed.Name)
		}
	}
	return nil
}

// List asks for the application's indexes and how each knows files.
func (s *server) List(ctx context.Context) (list []index, err error) {
	if err := s.requireOpen(ctx); err != nil {
		return nil, err
	}
	err = s.ReadFields(ctx, prefix+"*", []string{lucene.FileField, exactField}, func(name string, has lucene.Fields) {
		list = append(list, toIndex(name, has))
	})
	return list, err
}

func toIndex(name string, has lucene.Fields) index {
	one := index{name: name, exact: has.Keyword(exactField)}
	if logical, ours := strings.CutPrefix(name, prefix); ours {
		if _, own := vectors.CollectionOwner(logical); own || vectors.IsKnown(logical) {
			one.collection = logical
		}
	}
	_, one.files = has[lucene.FileField]
	return one
}
