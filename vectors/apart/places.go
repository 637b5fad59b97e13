package apart

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"unicode/utf8"

	"pruned/vectors"
)

// places are the server's own collections, by name.
type places[P Place] []P

func (s *Store[P]) list(ctx context.Context) (places[P], error) {
	list, err := s.server.List(ctx)
	slices.SortFunc(list, func(a, b P) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, err
}

// shelfOf is nil where a place holds one collection alone.
func shelfOf[P Place](one P) Shelf {
	shelf, _ := any(one).(Shelf)
	return shelf
}

// portions are what is asked of a place at once. One that is read whole for any question is
// asked for all.
func portions[P Place](of P, list []string) iter.Seq[[]string] {
	size := vectors.FilesAtOnce
	if _, is := any(of).(Scanned); is {
		size = max(size, len(list))
	}
	return slices.Chunk(list, size)
}

// canBeThere says whether a server can have a text for an id or a name: an empty one is what
// is nobody's.
func canBeThere(text string) bool { return text != "" && utf8.ValidString(text) }

// section is what one question reaches: of a place that holds a collection alone that one, of
// a shelf those that are meant.
type section[P Place] struct {
	place       P
	collections []string
}

// question is one about the section. A place that holds one collection is not asked which.
func (s section[P]) question(q Question) Question {
	if shelfOf(s.place) != nil {
		q.Collections = s.collections
	}
	return q
}

// collectionOf is the application's that a point belongs to.
func collectionOf[P Place](of P, p Point) string {
	if shelfOf(of) != nil {
		return p.Collection
	}
	return of.Collection()
}

// shared are those with points of several files.
func (l places[P]) shared() (list []P) {
	for _, one := range l {
		if one.HoldsFiles() && (shelfOf(one) != nil || vectors.IsShared(one.Collection())) {
			list = append(list, one)
		}
	}
	return list
}

// ofFiles are questions for the points of these files in a shared place.
func ofFiles[P Place](of P, files []string) Question {
	return Question{Files: files, Shared: shelfOf(of) != nil}
}

// locate are the sections that hold these collections.
func (l places[P]) locate(collections []string) (list []section[P]) {
	collections = vectors.Distinct(collections, canBeThere)
	by := make(map[string]P, len(l))
	for _, one := range l {
		shelf := shelfOf(one)
		if shelf == nil {
			by[one.Collection()] = one
			continue
		}
		taken := slices.DeleteFunc(slices.Clone(collections), func(name string) bool { return !shelf.Takes(name) })
		for some := range portions(one, taken) {
			list = append(list, section[P]{one, some})
		}
	}
	for _, collection := range collections {
		if one, there := by[collection]; there {
			list = append(list, section[P]{one, []string{collection}})
		}
	}
	return list
}

// listShelf lists the collections on a shelf, some more than once: all points are read. An
// empty name is of points that say none which the shelf takes.
func (s *Store[P]) listShelf(ctx context.Context, of P) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for page, err := range s.server.Read(ctx, of, Question{}) {
			if err != nil {
				yield("", err)
				return
			}
			names := map[string]bool{}
			for _, p := range page {
				names[p.Collection] = true
			}
			for name := range names {
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

// Strange lists what nobody can tell the collection of, or the application gives no such
// name, by the server's names; of what lies on a shelf by the points' own.
func (s *Store[P]) Strange(ctx context.Context) (list []string, err error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, one := range all {
		if shelfOf(one) == nil {
			if !vectors.IsKnown(one.Collection()) {
				seen[one.Name()] = true
			}
			continue
		}
		for name, err := range s.listShelf(ctx, one) {
			switch {
			case err != nil:
				return nil, err
			case name == "":
				seen[one.Name()+" (points of no collection that lies there)"] = true
			case !vectors.IsKnown(name):
				seen[name] = true
			}
		}
	}
	list = slices.Sorted(maps.Keys(seen))
	return list[:min(len(list), vectors.MaxStrange)], nil
}
