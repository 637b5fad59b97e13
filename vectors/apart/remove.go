package apart

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store[P]) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, and their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store[P]) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if ids = vectors.Distinct(ids, utf8.ValidString); len(ids) == 0 {
		return removed, nil
	}
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	all, err := s.list(ctx)
	if err == nil {
		err = s.dropPlaces(ctx, all.locate(vectors.FileCollections(ids)), owner, guard, &removed)
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
	for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
		err := vectors.RemoveFromEach(ctx, shared, placesAtOnce, guard, removed, func(ctx context.Context, of P, guard vectors.Guard, removed *vectors.Removed) error {
			removal := s.removalFrom(of, func(files []string) Question { return Question{Files: files} }, fileOf)
			return removal.Run(ctx, some, guard, removed)
		})
		if err != nil {
			return err
		}
	}
	return nil
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
	err = s.dropPlaces(ctx, all.locate(vectors.Distinct(names, utf8.ValidString)), itself, guard, &removed)
	return removed, err
}

// RemovePoints deletes points until it finds none that may go. Nothing waits.
func (s *Store[P]) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	ids = slices.DeleteFunc(vectors.Distinct(ids, utf8.ValidString), func(id string) bool { return !s.server.CanHave(id) })
	if err := vectors.CheckListed(collection); err != nil || len(ids) == 0 {
		return removed, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return removed, err
	}
	for _, of := range all.locate([]string{collection}) {
		for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
			removal := s.removalFrom(of, func(ids []string) Question { return Question{IDs: ids} }, idOf)
			if err := removal.Run(ctx, some, guard, &removed); err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

func fileOf(o Point) string { return o.File }
func idOf(o Point) string   { return o.ID }

// dropPlaces drops places that hold one collection each, and looks again: the running
// application finds nothing there, and makes them again when it writes. subject is what the
// guard knows a collection by.
func (s *Store[P]) dropPlaces(ctx context.Context, list []P, subject func(string) string, guard vectors.Guard, removed *vectors.Removed) error {
	var dropped []P
	for _, of := range list {
		chunks, err := s.server.Count(ctx, of)
		if err != nil {
			return err
		}
		one := subject(of.Collection())
		may, err := guard(ctx, []string{one})
		if err != nil {
			return err
		}
		if !slices.Contains(may, one) {
			continue
		}
		if err := s.server.Drop(ctx, of); err != nil {
			return err
		}
		removed.Chunks += chunks
		dropped = append(dropped, of)
	}
	if len(dropped) == 0 {
		return nil
	}
	now, err := s.list(ctx)
	if err != nil {
		return err
	}
	for _, of := range now.locate(collectionsOf(dropped)) {
		return s.server.Unusable("still has %s, or has it again, though it said that it dropped it", of.Name())
	}
	return nil
}

// removalFrom removes points of a place.
func (s *Store[P]) removalFrom(of P, ask func(subjects []string) Question, subject func(Point) string) vectors.Removal[Point] {
	return vectors.Removal[Point]{
		Find: func(ctx context.Context, subjects []string) ([]Point, error) {
			return s.server.ReadFirst(ctx, of, ask(subjects))
		},
		Key: idOf, Subject: subject,
		Delete: func(ctx context.Context, ids []string) (int64, error) { return s.delete(ctx, of, ids) },
		Disobeyed: func(id string) error {
			return s.server.Unusable("does not delete %s of %s, though it says so", id, of.Name())
		},
	}
}

func collectionsOf[P Place](list []P) (names []string) {
	for _, one := range list {
		names = append(names, one.Collection())
	}
	return names
}

// delete is the only request that deletes points.
func (s *Store[P]) delete(ctx context.Context, of P, ids []string) (int64, error) {
	if of.Name() == "" || len(ids) == 0 || slices.Contains(ids, "") {
		return 0, fmt.Errorf("delete nothing from %q", of.Name())
	}
	if err := s.server.Delete(ctx, of, ids); err != nil {
		return 0, err
	}
	return int64(len(ids)), nil
}
