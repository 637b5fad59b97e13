// Package flat is a vector store that keeps the points of all collections in one place, each
// with the name of its collection.
//
// Its central idea is that nothing is deleted by a filter, and nothing is believed: points
// are found, compared, deleted by their ids, and looked for again, until there are none. What
// a server is asked for that, a Server says. The package knows none.
package flat

import (
	"context"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	"pruned/vectors"
)

// Point is a point of a collection.
type Point struct {
	Collection, ID string
	File           string // that its metadata names; empty where it is nobody's
	Maker          string // who made it; empty where that is not said
}

// Question says which points are asked for: all, or those of some collections, or those of
// some files where chunks of several lie, or some of one collection by their ids.
type Question struct {
	Collections []string
	Files       []string
	IDs         []string // in Collections, which is one
}

// Match compares exactly what a server let through.
func (q Question) Match() func(Point) bool {
	collections, files, ids := vectors.Set(q.Collections), vectors.Set(q.Files), vectors.Set(q.IDs)
	return func(p Point) bool {
		return (len(collections) == 0 || collections[p.Collection]) && (len(ids) == 0 || ids[p.ID]) &&
			(len(files) == 0 || p.File != "" && files[p.File] && vectors.IsShared(p.Collection))
	}
}

// Server is what such a server is asked. Of points that are not the application's it tells
// nothing.
type Server interface {
	// Check asks with our credentials, and looks at what is there.
	Check(ctx context.Context) error
	// Read lists points page by page, each once: those that are meant, and maybe others. A
	// page may be empty.
	Read(ctx context.Context, q Question) iter.Seq2[[]Point, error]
	// ReadFirst are some that are meant, as of now; none only where none is there.
	ReadFirst(ctx context.Context, q Question) ([]Point, error)
	// Key is by what the server deletes a point.
	Key(Point) string
	// Delete deletes by keys, MaxDelete at most, of which there is one at least.
	Delete(ctx context.Context, keys []string) error
	MaxDelete() int
	// Freshness is how long a server may show what it deleted.
	Freshness() time.Duration
	// ListEmpty lists collections of which there is something also where they have no points,
	// and DropEmpty removes that.
	ListEmpty(ctx context.Context) ([]string, error)
	DropEmpty(ctx context.Context, collection string) error
	// CanHave says whether a point can have this id.
	CanHave(id string) bool
	// Unusable is an error of the server.
	Unusable(format string, args ...any) error
}

// Store is a server.
type Store struct{ server Server }

// New makes a store of a server.
func New(server Server) *Store { return &Store{server} }

// Check asks the server.
func (s *Store) Check(ctx context.Context) error { return s.server.Check(ctx) }

// read lists what is meant, and nothing else.
func (s *Store) read(ctx context.Context, q Question) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		match := q.Match()
		for page, err := range s.server.Read(ctx, q) {
			if err != nil {
				yield(Point{}, err)
				return
			}
			for _, p := range page {
				if match(p) && !yield(p, nil) {
					return
				}
			}
		}
	}
}

// readSome does so for lists of any length, of which an empty one means nothing.
func (s *Store) readSome(ctx context.Context, values []string, ask func([]string) Question) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for some := range slices.Chunk(vectors.Distinct(values, utf8.ValidString), vectors.FilesAtOnce) {
			for p, err := range s.read(ctx, ask(some)) {
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

func ofCollections(names []string) Question { return Question{Collections: names} }
func ofFiles(files []string) Question       { return Question{Files: files} }
