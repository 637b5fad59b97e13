package weaviate

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, and their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if ids = distinct(ids); len(ids) == 0 {
		return removed, nil
	}
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	all, err := s.listClasses(ctx)
	if err == nil {
		err = s.dropClasses(ctx, all.locate(ownCollections(ids)), owner, guard, &removed)
	}
	if err == nil {
		err = s.removeShared(ctx, all.shared(), ids, guard, &removed)
	}
	return removed, err
}

// looksAtOnce bounds the questions at one time.
const looksAtOnce = 8

// removeShared deletes the chunks of these files where those of several lie.
func (s *Store) removeShared(ctx context.Context, shared []class, ids []string, guard vectors.Guard, removed *vectors.Removed) error {
	for some := range slices.Chunk(ids, filesAtOnce) {
		found, err := s.findClasses(ctx, shared, some)
		if err != nil {
			return err
		}
		for _, of := range found {
			ask := func(files []string) question { return question{files: files} }
			if err := s.deleteObjects(ctx, of, some, ask, fileOf, guard, removed); err != nil {
				return err
			}
		}
	}
	return nil
}

// findClasses are those in which chunks of these files lie.
func (s *Store) findClasses(ctx context.Context, all []class, files []string) (list []class, err error) {
	found := make([]bool, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(looksAtOnce)
	for i, of := range all {
		group.Go(func() error {
			objects, err := s.firstObjects(ctx, of, question{files: files})
			found[i] = len(objects) > 0
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
func (s *Store) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckWhole(names); err != nil || len(names) == 0 {
		return removed, err
	}
	all, err := s.listClasses(ctx)
	if err != nil {
		return removed, err
	}
	itself := func(collection string) string { return collection }
	err = s.dropClasses(ctx, all.locate(distinct(names)), itself, guard, &removed)
	return removed, err
}

// RemovePoints deletes points until it finds none that may go. Nothing waits.
func (s *Store) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	ids = slices.DeleteFunc(distinct(ids), func(id string) bool { return !canonical.MatchString(id) })
	if err := vectors.CheckListed(collection); err != nil || len(ids) == 0 {
		return removed, err
	}
	all, err := s.listClasses(ctx)
	if err != nil {
		return removed, err
	}
	for _, of := range all.locate([]string{collection}) {
		for some := range slices.Chunk(ids, filesAtOnce) {
			ask := func(ids []string) question { return question{ids: ids} }
			if err := s.deleteObjects(ctx, of, some, ask, idOf, guard, &removed); err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

func fileOf(o object) string { return o.file }
func idOf(o object) string   { return o.id }

// dropClasses drops classes that hold one collection each, and looks again: the running
// application finds nothing there, and makes them again when it writes. subject is what the
// guard knows a collection by.
func (s *Store) dropClasses(ctx context.Context, list []class, subject func(string) string, guard vectors.Guard, removed *vectors.Removed) error {
	var dropped []class
	for _, of := range list {
		chunks, err := s.countObjects(ctx, of)
		if err != nil {
			return err
		}
		one := subject(of.collection)
		may, err := guard(ctx, []string{one})
		if err != nil {
			return err
		}
		if !slices.Contains(may, one) {
			continue
		}
		if err := s.server.Call(ctx, "drop class "+of.name, http.MethodDelete, "schema/"+of.name, nil, nil); err != nil {
			return err
		}
		removed.Chunks += chunks
		dropped = append(dropped, of)
	}
	if len(dropped) == 0 {
		return nil
	}
	now, err := s.listClasses(ctx)
	for _, of := range dropped {
		if _, there := now[of.name]; there && err == nil {
			return s.server.Unusable("still has class %s, or has it again, though it said that it dropped it", of.name)
		}
	}
	return err
}

// deleteObjects deletes objects of these subjects, and looks again until it finds none that
// may go. A set of ids is deleted, not whatever fits by then.
func (s *Store) deleteObjects(ctx context.Context, of class, subjects []string, ask func([]string) question, subject func(object) string, guard vectors.Guard, removed *vectors.Removed) error {
	for last := ""; len(subjects) > 0; {
		found, err := s.firstObjects(ctx, of, ask(subjects))
		if err != nil || len(found) == 0 {
			return err
		}
		if found[0].id == last {
			return s.server.Unusable("does not delete object %s of class %s, though it says so", last, of.name)
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
		if err := s.deleteIDs(ctx, of, ids); err != nil {
			return err
		}
		removed.Chunks += int64(len(ids))
		last = ids[0]
	}
	return nil
}

func subjectsOf(found []object, subject func(object) string) (list []string) {
	for _, o := range found {
		list = append(list, subject(o))
	}
	return distinct(list)
}

func idsOf(found []object, subjects map[string]bool, subject func(object) string) (ids []string) {
	for _, o := range found {
		if subjects[subject(o)] {
			ids = append(ids, o.id)
		}
	}
	return ids
}

// deleteIDs is the only request that deletes objects: in all replicas, or it fails.
func (s *Store) deleteIDs(ctx context.Context, of class, ids []string) error {
	if of.name == "" || len(ids) == 0 {
		return fmt.Errorf("delete no objects of class %q", of.name)
	}
	match := map[string]any{"class": of.name, "where": map[string]any{"path": []string{"id"}, "operator": "ContainsAny", "valueTextArray": ids}}
	in := map[string]any{"match": match, "output": "minimal"}
	return s.server.Call(ctx, fmt.Sprintf("delete %d objects of class %s", len(ids), of.name), http.MethodDelete, "batch/objects?consistency_level=ALL", in, nil)
}
