package elasticsearch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pruned/vectors/apart"
	"pruned/vectors/lucene"
)

// stray is something of the server's that is named nearly as the application's indexes are.
type stray struct {
	name   string
	unread string // why nobody can read it; empty where that can be done
}

func (s stray) Name() string                           { return s.name }
func (s stray) Collection() string                     { return "" }
func (s stray) HoldsFiles() bool                       { return false }
func (s stray) Filters(apart.Question) []lucene.Filter { return nil }

// shelf is an index of the application's: it holds all collections with vectors of one size.
type shelf struct {
	stray
	collection, file lucene.Keyword
}

func (s shelf) HoldsFiles() bool  { return true }
func (s shelf) Takes(string) bool { return true }

// Filters are of all that a question has.
func (s shelf) Filters(q apart.Question) []lucene.Filter {
	return []lucene.Filter{lucene.ByIDs(q.IDs), s.collection.Filter(q.Collections), s.file.Filter(q.Files)}
}

var dimension = regexp.MustCompile(`^[1-9][0-9]*$`)

// isShelf says whether the application gives an index this name.
func (s *server) isShelf(name string) bool {
	size, ours := strings.CutPrefix(name, s.prefix+"_d")
	return ours && dimension.MatchString(size)
}

// pattern is of names that begin as the application's, all of which its own deletions reach.
func (s *server) pattern() string { return url.PathEscape(s.prefix) + "_*" }

// List fails where an index of the application's cannot be used, since what lies there would be
// taken for gone.
func (s *server) List(ctx context.Context) (list []lucene.Index, err error) {
	if err := s.requireRights(ctx); err != nil {
		return nil, err
	}
	names, err := s.Resolve(ctx, s.pattern(), "open,closed,hidden")
	if err != nil {
		return nil, err
	}
	for _, one := range slices.Concat(names.Aliases, names.Streams) {
		if s.isShelf(one.Name) {
			return nil, s.Unusable("has %s as another name for an index: nobody can tell whose documents lie there; wanted an index of that name, as Open WebUI makes it", one.Name)
		}
		list = append(list, stray{one.Name, "it is another name for an index"})
	}
	fields := map[string]lucene.Fields{}
	note := func(name string, has lucene.Fields) { fields[name] = has }
	if err := s.ReadFields(ctx, s.pattern(), []string{lucene.CollectionField, lucene.FileField}, note); err != nil {
		return nil, err
	}
	for _, one := range names.Indexes {
		index, err := s.toIndex(one.Name, slices.Contains(one.Attributes, "closed"), fields[one.Name])
		if err != nil {
			return nil, err
		}
		list = append(list, index)
	}
	return list, nil
}

// requireRights asks for an index that nobody makes: which there are a server tells of only what
// may be seen, and that one is not there only to who may see it.
func (s *server) requireRights(ctx context.Context) error {
	none := url.PathEscape(s.prefix + "_d0")
	err := s.Call(ctx, "ask for index "+s.prefix+"_d0", http.MethodGet, none+"/_mapping/field/"+lucene.CollectionField, nil, nil)
	if lucene.IsMissing(err) {
		return nil
	}
	return err
}

// toIndex refuses an index of the application's where a filter does not find its collections.
func (s *server) toIndex(name string, closed bool, has lucene.Fields) (lucene.Index, error) {
	one := shelf{stray{name: name}, has.Keyword(lucene.CollectionField), has.Keyword(lucene.FileField)}
	switch {
	case !s.isShelf(name) && closed:
		return stray{name, "it is closed"}, nil
	case !s.isShelf(name):
		return one.stray, nil
	case closed:
		return nil, s.Unusable("has index %s closed: nothing can be found there until it is opened", name)
	case !one.collection.Exists():
		return nil, s.Unusable("has index %s without a keyword field %s: wanted one as Open WebUI makes it", name, lucene.CollectionField)
	}
	return one, nil
}

// ReadDocuments says of what nobody can read why.
func (s *server) ReadDocuments(ctx context.Context, from lucene.Index) iter.Seq2[[]apart.Document, error] {
	if one, is := from.(stray); is && one.unread != "" {
		return func(yield func([]apart.Document, error) bool) {
			yield(nil, fmt.Errorf("%s: %w", one.unread, apart.ErrUnread))
		}
	}
	return s.Server.ReadDocuments(ctx, from)
}

// Drop refuses: others' collections lie in each index.
func (s *server) Drop(_ context.Context, one lucene.Index) error {
	return errors.New("index " + one.Name() + " is never dropped")
}
