// Package apart is a vector store that keeps each of the application's collections apart, in
// one of the server's own, or several, or all, on a shelf, where each point says its
// collection.
//
// Its central idea is that nothing is deleted by a filter, and nothing is believed: points
// are found, compared, deleted by their ids, and looked for again, until there are none; a
// collection that was dropped is looked for in the list of all. What a server is asked for
// that, a Server says. The package knows none.
package apart

import (
	"context"
	"iter"

	"pruned/vectors"
)

// Place is one of the server's own collections. Only a server makes one, of what it has.
type Place interface {
	// Name is the server's.
	Name() string
	// Collection is the application's that lies there alone; empty where nobody can tell which,
	// and of a shelf.
	Collection() string
	// HoldsFiles says that points may name files; of a shelf, those of collections that several
	// files share.
	HoldsFiles() bool
}

// Shelf is a place for several of the application's collections. It is never dropped.
type Shelf interface {
	Place
	// Takes says whether the application puts this collection there.
	Takes(collection string) bool
}

// Scanned is a place of which any question reads all.
type Scanned interface {
	Place
	Scanned()
}

// Point is a point of a collection.
type Point struct {
	ID    string
	File  string // that its metadata names; empty where it is nobody's
	Maker string // who made it; empty where that is not said
	Key   string // by what the server deletes it; empty where that is the id
	// Collection is the application's, of a point on a shelf; empty where it says none that the
	// shelf takes.
	Collection string
}

// Question says which points are asked for: without ids, files and collections, all. Shared
// are those of collections that several files share. Both are asked of a shelf alone.
type Question struct {
	IDs, Files, Collections []string
	Shared                  bool
}

// Choose compares exactly what a server let through.
func (q Question) Choose(page []Point) (meant []Point) {
	ids, files, collections := vectors.Set(q.IDs), vectors.Set(q.Files), vectors.Set(q.Collections)
	for _, p := range page {
		if isMeant(ids, p.ID) && isMeant(files, p.File) && isMeant(collections, p.Collection) && (!q.Shared || vectors.IsShared(p.Collection)) {
			meant = append(meant, p)
		}
	}
	return meant
}

// isMeant: an empty set means any.
func isMeant(values map[string]bool, one string) bool { return len(values) == 0 || values[one] }

// Server is what such a server is asked. A place that is not there any more has no points.
type Server[P Place] interface {
	// List lists the server's own collections, whoever made them, each with others of the
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
	// Delete deletes points by their keys, of which there is one at least.
	Delete(ctx context.Context, from P, keys []string) error
	// CanHave says whether a point can have this id.
	CanHave(id string) bool
	// Unusable is an error of the server.
	Unusable(format string, args ...any) error
}

// Bounded is a server that finds more than one request deletes.
type Bounded interface{ MaxDelete() int }

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
