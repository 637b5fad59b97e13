// Package apart is a vector store that keeps each of the application's collections apart, in
// one of the server's own.
//
// Its central idea is that nothing is deleted by a filter, and nothing is believed: points
// are found, compared, deleted by their ids, and looked for again, until there are none; a
// collection that was dropped is looked for in the list of all. What a server is asked for
// that, a Server says. The package knows none.
package apart

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"unicode/utf8"

	"pruned/vectors"
)

// Place is one of the server's own collections. Only a server makes one, of what it has.
type Place interface {
	// Name is the server's.
	Name() string
	// Collection is the application's that lies there; empty where nobody can tell which.
	Collection() string
	// HoldsFiles says that points may name files.
	HoldsFiles() bool
}

// Point is a point of a collection.
type Point struct {
	ID    string
	File  string // that its metadata names; empty where it is nobody's
	Maker string // who made it; empty where that is not said
}

// Question says which points are asked for: without ids and files, all.
type Question struct{ IDs, Files []string }

// Choose compares exactly what a server let through.
func (q Question) Choose(page []Point) (meant []Point) {
	ids, files := vectors.Set(q.IDs), vectors.Set(q.Files)
	for _, p := range page {
		if (len(ids) == 0 || ids[p.ID]) && (len(files) == 0 || files[p.File]) {
			meant = append(meant, p)
		}
	}
	return meant
}

// Server is what such a server is asked. A place that is not there any more has no points.
type Server[P Place] interface {
	// List lists the server's own collections, whoever made them, each with another of the
	// application's. It fails where not all may be seen.
	List(ctx context.Context) ([]P, error)
	// Read lists points page by page. A page may be empty.
	Read(ctx context.Context, from P, q Question) iter.Seq2[[]Point, error]
	// ReadFirst are some as of now, the strongest way that the server has to look; all
	// where there are no more than a page.
	ReadFirst(ctx context.Context, from P, q Question) ([]Point, error)
	// ReadDocuments reads all of a place page by page; it fails with ErrUnread where nobody can.
	ReadDocuments(ctx context.Context, of P) iter.Seq2[[]Document, error]
	Count(ctx context.Context, of P) (int64, error)
	Drop(ctx context.Context, one P) error
	// Delete deletes points by their ids, of which there is one at least.
	Delete(ctx context.Context, from P, ids []string) error
	// CanHave says whether a point can have this id.
	CanHave(id string) bool
	// Unusable is an error of the server.
	Unusable(format string, args ...any) error
}

// Store is a server.
type Store[P Place] struct {
	name   string
	server Server[P]
}

// New makes a store of a server; name is what sort of one it is.
func New[P Place](name string, server Server[P]) *Store[P] { return &Store[P]{name, server} }

// Check asks with our credentials, and looks at what is there.
func (s *Store[P]) Check(ctx context.Context) error {
	_, err := s.server.List(ctx)
	return err
}

// places are the server's own collections, by name.
type places[P Place] []P

func (s *Store[P]) list(ctx context.Context) (places[P], error) {
	list, err := s.server.List(ctx)
	slices.SortFunc(list, func(a, b P) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, err
}

// shared are those with points of several files.
func (l places[P]) shared() (list []P) {
	for _, one := range l {
		if vectors.IsShared(one.Collection()) && one.HoldsFiles() {
			list = append(list, one)
		}
	}
	return list
}

// locate are those that hold these collections.
func (l places[P]) locate(collections []string) (list []P) {
	by := make(map[string]P, len(l))
	for _, one := range l {
		by[one.Collection()] = one
	}
	for _, collection := range vectors.Distinct(collections, utf8.ValidString) {
		if one, there := by[collection]; there && collection != "" {
			list = append(list, one)
		}
	}
	return list
}

// Strange lists what nobody can tell the collection of, or the application gives no such
// name, by the server's names.
func (s *Store[P]) Strange(ctx context.Context) (list []string, err error) {
	all, err := s.list(ctx)
	for _, one := range all {
		if !vectors.IsKnown(one.Collection()) && len(list) < vectors.MaxStrange {
			list = append(list, one.Name())
		}
	}
	return list, err
}
