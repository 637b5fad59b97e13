package apart

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store[P]) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, and their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store[P]) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if ids = vectors.Distinct(ids, canBeThere); len(ids) == 0 {
		return removed, nil
	}
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	all, err := s.list(ctx)
	if err == nil {
		err = s.removeWhole(ctx, all.locate(vectors.FileCollections(ids)), owner, guard, &removed)
	}
	if err == nil {
		err = s.removeShared(ctx, all.shared(), ids, guard, &removed)
	}
	return removed, err
}

// placesAtOnce bounds the places in which it is looked, and deleted, at one time.
const placesAtOnce = 8

// removeShared deletes the chunks of these files where those of several lie.
func (s *Store[P]) removeShared(ctx context.Context, shared []P, ids []string, guard vectors.Guard, removed *vectors.Removed) error {
	return vectors.RemoveFromEach(ctx, shared, placesAtOnce, guard, removed, func(ctx context.Context, of P, guard vectors.Guard, removed *vectors.Removed) error {
		removal := s.removalFrom(of, func(files []string) Question { return ofFiles(of, files) }, fileOf)
		for some := range portions(of, ids) {
			if err := removal.Run(ctx, some, guard, removed); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveCollections removes them as it removes files' own. Nothing waits.
func (s *Store[P]) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckWhole(names); err != nil || len(names) == 0 {
		return removed, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return removed, err
	}
	itself := func(collection string) string { return collection }
	err = s.removeWhole(ctx, all.locate(names), itself, guard, &removed)
	return removed, err
}

// RemovePoints deletes points until it finds none that may go. Nothing waits.
func (s *Store[P]) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	ids = vectors.Distinct(ids, func(id string) bool { return canBeThere(id) && s.server.CanHave(id) })
	if err := vectors.CheckListed(collection); err != nil || len(ids) == 0 {
		return removed, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return removed, err
	}
	for _, from := range all.locate([]string{collection}) {
		for some := range portions(from.place, ids) {
			removal := s.removalFrom(from.place, func(ids []string) Question { return from.question(Question{IDs: ids}) }, idOf)
			if err := removal.Run(ctx, some, guard, &removed); err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

func fileOf(o Point) string { return o.File }
func idOf(o Point) string   { return o.ID }

// removeWhole drops places that hold one collection each, and looks again: the running
// application finds nothing there, and makes them again when it writes. What lies on a shelf
// is deleted. subject is what the guard knows a collection by.
func (s *Store[P]) removeWhole(ctx context.Context, list []section[P], subject func(string) string, guard vectors.Guard, removed *vectors.Removed) error {
	var dropped []string
	for _, from := range list {
		if shelfOf(from.place) != nil {
			if err := s.clearShelf(ctx, from, subject, guard, removed); err != nil {
				return err
			}
			continue
		}
		gone, err := s.drop(ctx, from.place, subject(from.place.Collection()), guard, removed)
		if err != nil {
			return err
		}
		if gone {
			dropped = append(dropped, from.place.Collection())
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	now, err := s.list(ctx)
	if err != nil {
		return err
	}
	isShelf := func(from section[P]) bool { return shelfOf(from.place) != nil }
	for _, from := range slices.DeleteFunc(now.locate(dropped), isShelf) {
		return s.server.Unusable("still has %s, or has it again, though it said that it dropped it", from.place.Name())
	}
	return nil
}

// drop drops a place, if that may go.
func (s *Store[P]) drop(ctx context.Context, of P, subject string, guard vectors.Guard, removed *vectors.Removed) (gone bool, err error) {
	chunks, err := s.server.Count(ctx, of)
	if err != nil {
		return false, err
	}
	if may, err := guard(ctx, []string{subject}); err != nil || !slices.Contains(may, subject) {
		return false, err
	}
	if err := s.server.Drop(ctx, of); err != nil {
		return false, err
	}
	removed.Chunks += chunks
	return true, nil
}

// clearShelf deletes the points of a section's collections.
func (s *Store[P]) clearShelf(ctx context.Context, from section[P], subject func(string) string, guard vectors.Guard, removed *vectors.Removed) error {
	var subjects []string
	collections := map[string]string{} // by subject
	for _, one := range from.collections {
		subjects = append(subjects, subject(one))
		collections[subject(one)] = one
	}
	ask := func(subjects []string) (q Question) {
		for _, one := range subjects {
			q.Collections = append(q.Collections, collections[one])
		}
		return q
	}
	removal := s.removalFrom(from.place, ask, func(p Point) string { return subject(p.Collection) })
	return removal.Run(ctx, subjects, guard, removed)
}

// removalFrom removes what is asked for in a place, which is never everything.
func (s *Store[P]) removalFrom(of P, ask func(subjects []string) Question, subject func(Point) string) vectors.Removal[Point] {
	removal := vectors.Removal[Point]{
		Find: func(ctx context.Context, subjects []string) ([]Point, error) {
			q := ask(subjects)
			if len(q.IDs)+len(q.Files)+len(q.Collections) == 0 {
				return nil, errors.New("asked to remove nothing in particular")
			}
			return s.server.ReadFirst(ctx, of, q)
		},
		Key: Point.key, Subject: subject,
		Delete: func(ctx context.Context, keys []string) (int64, error) { return s.delete(ctx, of, keys) },
		Disobeyed: func(key string) error {
			return s.server.Unusable("does not delete %s of %s, though it says so", key, of.Name())
		},
	}
	if bounded, is := s.server.(Bounded); is {
		removal.AtOnce = bounded.MaxDelete
	}
	if late, is := s.server.(Late); is {
		outlast(&removal, late.Freshness())
	}
	return removal
}

func (p Point) key() string { return cmp.Or(p.Key, p.ID) }

// delete is the only request that deletes points.
func (s *Store[P]) delete(ctx context.Context, of P, keys []string) (int64, error) {
	if of.Name() == "" || len(keys) == 0 || slices.Contains(keys, "") {
		return 0, fmt.Errorf("delete nothing from %q", of.Name())
	}
	if err := s.server.Delete(ctx, of, keys); err != nil {
		return 0, err
	}
	return int64(len(keys)), nil
}
