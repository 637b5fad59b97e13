package apart

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store[P]) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, and their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store[P]) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if ids = distinct(ids); len(ids) == 0 {
		return removed, nil
	}
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	all, err := s.list(ctx)
	if err == nil {
		err = s.dropPlaces(ctx, all.locate(ownCollections(ids)), owner, guard, &removed)
	}
	if err == nil {
		err = s.removeShared(ctx, all.shared(), ids, guard, &removed)
	}
	return removed, err
}

// looksAtOnce bounds the questions at one time.
const looksAtOnce = 8

// removeShared deletes the chunks of these files where those of several lie.
func (s *Store[P]) removeShared(ctx context.Context, shared []P, ids []string, guard vectors.Guard, removed *vectors.Removed) error {
	for some := range slices.Chunk(ids, filesAtOnce) {
		found, err := s.findPlaces(ctx, shared, some)
		if err != nil {
			return err
		}
		for _, of := range found {
			ask := func(files []string) Question { return Question{Files: files} }
			if err := s.deletePoints(ctx, of, some, ask, fileOf, guard, removed); err != nil {
				return err
			}
		}
	}
	return nil
}

// findPlaces are those in which chunks of these files lie.
func (s *Store[P]) findPlaces(ctx context.Context, all []P, files []string) (list []P, err error) {
	found := make([]bool, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(looksAtOnce)
	for i, of := range all {
		group.Go(func() error {
			points, err := s.server.ReadFirst(ctx, of, Question{Files: files})
			found[i] = len(points) > 0
			return err
		})
	}
	err = group.Wait()
	for i, of := range all {
		if found[i] {
			list = append(list, of)
		}
	}
	return list, err
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
	err = s.dropPlaces(ctx, all.locate(distinct(names)), itself, guard, &removed)
	return removed, err
}

// RemovePoints deletes points until it finds none that may go. Nothing waits.
func (s *Store[P]) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	ids = slices.DeleteFunc(distinct(ids), func(id string) bool { return !s.server.CanHave(id) })
	if err := vectors.CheckListed(collection); err != nil || len(ids) == 0 {
		return removed, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return removed, err
	}
	for _, of := range all.locate([]string{collection}) {
		for some := range slices.Chunk(ids, filesAtOnce) {
			ask := func(ids []string) Question { return Question{IDs: ids} }
			if err := s.deletePoints(ctx, of, some, ask, idOf, guard, &removed); err != nil {
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

// deletePoints deletes points of these subjects, and looks again until it finds none that
// may go. A set of ids is deleted, not whatever fits by then.
func (s *Store[P]) deletePoints(ctx context.Context, of P, subjects []string, ask func([]string) Question, subject func(Point) string, guard vectors.Guard, removed *vectors.Removed) error {
	for last := ""; len(subjects) > 0; {
		found, err := s.server.ReadFirst(ctx, of, ask(subjects))
		if err != nil || len(found) == 0 {
			return err
		}
		if found[0].ID == last {
			return s.server.Unusable("does not delete %s of %s, though it says so", last, of.Name())
		}
		asked := subjectsOf(found, subject)
		may, err := guard(ctx, asked)
		if err != nil {
			return err
		}
		kept := set(asked)
		for _, one := range may {
			delete(kept, one)
		}
		subjects = slices.DeleteFunc(slices.Clone(subjects), func(one string) bool { return kept[one] })
		ids := idsOf(found, set(subjects), subject)
		if len(ids) == 0 {
			continue
		}
		if err := s.delete(ctx, of, ids); err != nil {
			return err
		}
		removed.Chunks += int64(len(ids))
		last = ids[0]
	}
	return nil
}

func subjectsOf(found []Point, subject func(Point) string) (list []string) {
	for _, o := range found {
		list = append(list, subject(o))
	}
	return distinct(list)
}

func idsOf(found []Point, subjects map[string]bool, subject func(Point) string) (ids []string) {
	for _, o := range found {
		if subjects[subject(o)] {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

func collectionsOf[P Place](list []P) (names []string) {
	for _, one := range list {
		names = append(names, one.Collection())
	}
	return names
}

// delete is the only request that deletes points.
func (s *Store[P]) delete(ctx context.Context, of P, ids []string) error {
	if of.Name() == "" || len(ids) == 0 || slices.Contains(ids, "") {
		return fmt.Errorf("delete nothing from %q", of.Name())
	}
	return s.server.Delete(ctx, of, ids)
}
