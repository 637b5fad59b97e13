package flat

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, then their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	if err := s.removeWhole(ctx, ownCollections(distinct(ids)), owner, guard, &removed); err != nil {
		return removed, err
	}
	what := subject{ask: ofFiles, of: func(p Point) string { return p.File }}
	for some := range slices.Chunk(distinct(ids), subjectsAtOnce) {
		if _, err := s.remove(ctx, some, what, guard, &removed); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// RemoveCollections removes them as it removes files' own. Nothing waits.
func (s *Store) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckWhole(names); err != nil {
		return removed, err
	}
	itself := func(collection string) string { return collection }
	err = s.removeWhole(ctx, distinct(names), itself, guard, &removed)
	return removed, err
}

// removeWhole removes collections; known is what the guard knows one by.
func (s *Store) removeWhole(ctx context.Context, names []string, known func(collection string) string, guard vectors.Guard, removed *vectors.Removed) error {
	what := subject{
		ask: func(subjects []string) Question {
			asked := set(subjects)
			return ofCollections(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !asked[known(name)] }))
		},
		of: func(p Point) string { return known(p.Collection) },
	}
	gone := map[string]bool{}
	for some := range slices.Chunk(names, subjectsAtOnce) {
		var subjects []string
		for _, name := range some {
			subjects = append(subjects, known(name))
		}
		left, err := s.remove(ctx, subjects, what, guard, removed)
		if err != nil {
			return err
		}
		for _, name := range some {
			gone[name] = left[known(name)]
		}
	}
	return s.dropEmpty(ctx, gone, known, guard)
}

// RemovePoints removes points until it finds none that may go. Nothing waits.
func (s *Store) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckListed(collection); err != nil {
		return removed, err
	}
	what := subject{
		ask: func(ids []string) Question { return Question{Collections: []string{collection}, IDs: ids} },
		of:  func(p Point) string { return p.ID },
	}
	ids = slices.DeleteFunc(distinct(ids), func(id string) bool { return !s.server.CanHave(id) })
	for some := range slices.Chunk(ids, subjectsAtOnce) {
		if _, err := s.remove(ctx, some, what, guard, &removed); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// subject is what a removal is about, and what the guard knows a point by.
type subject struct {
	ask func(wanted []string) Question
	of  func(Point) string
}

// firstPause is until it is looked again whether a server shows what it deleted.
const firstPause = 100 * time.Millisecond

// remove deletes points of these subjects, and looks again until it finds none that may go. It
// returns those that might, of which nothing is left.
func (s *Store) remove(ctx context.Context, subjects []string, what subject, guard vectors.Guard, removed *vectors.Removed) (wanted map[string]bool, err error) {
	wanted = set(subjects)
	gone := map[Point]bool{}
	until, pause := time.Now().Add(s.server.Freshness()), firstPause
	for len(wanted) > 0 {
		found, err := s.find(ctx, what.ask(slices.Sorted(maps.Keys(wanted))))
		if err != nil || len(found) == 0 {
			return wanted, err
		}
		shown := found[0]
		if found = slices.DeleteFunc(found, func(p Point) bool { return gone[p] }); len(found) > 0 {
			if err := s.deleteAllowed(ctx, found, wanted, what, guard, gone, removed); err != nil {
				return nil, err
			}
			until, pause = time.Now().Add(s.server.Freshness()), firstPause
			continue
		}
		if !time.Now().Before(until) {
			return nil, s.server.Unusable("does not delete %s of %s, though it says so", shown.ID, shown.Collection)
		}
		if err := Wait(ctx, pause); err != nil {
			return nil, err
		}
		pause *= 2
	}
	return wanted, nil
}

// find finds some that are meant, as of now. What is to be removed is never everything.
func (s *Store) find(ctx context.Context, q Question) ([]Point, error) {
	if len(q.Collections)+len(q.Files)+len(q.IDs) == 0 {
		return nil, errors.New("asked to remove nothing in particular")
	}
	found, err := s.server.ReadFirst(ctx, q)
	match := q.Match()
	return slices.DeleteFunc(found, func(p Point) bool { return !match(p) }), err
}

// Wait waits, unless the context ends.
func Wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// deleteAllowed deletes what may go of these points, by as many requests as that takes, and
// asks before each. What may not is wanted no more.
func (s *Store) deleteAllowed(ctx context.Context, found []Point, wanted map[string]bool, what subject, guard vectors.Guard, gone map[Point]bool, removed *vectors.Removed) error {
	for some := range slices.Chunk(found, s.server.MaxDelete()) {
		some = slices.DeleteFunc(slices.Clone(some), func(p Point) bool { return !wanted[what.of(p)] })
		var asked []string
		for _, p := range some {
			asked = append(asked, what.of(p))
		}
		if err := keepRefused(ctx, distinct(asked), wanted, guard); err != nil {
			return err
		}
		some = slices.DeleteFunc(some, func(p Point) bool { return !wanted[what.of(p)] })
		if len(some) == 0 {
			continue
		}
		if err := s.server.Delete(ctx, some); err != nil {
			return err
		}
		removed.Chunks += int64(len(some))
		for _, p := range some {
			gone[p] = true
		}
	}
	return nil
}

// keepRefused takes out of what is wanted what the guard does not let go.
func keepRefused(ctx context.Context, asked []string, wanted map[string]bool, guard vectors.Guard) error {
	if len(asked) == 0 {
		return nil
	}
	may, err := guard(ctx, asked)
	if err != nil {
		return err
	}
	allowed := set(may)
	for _, one := range asked {
		if !allowed[one] {
			delete(wanted, one)
		}
	}
	return nil
}

// dropEmpty removes what is left of collections of which all points are gone.
func (s *Store) dropEmpty(ctx context.Context, gone map[string]bool, known func(collection string) string, guard vectors.Guard) error {
	if len(gone) == 0 {
		return nil
	}
	empty, err := s.server.ListEmpty(ctx)
	if err != nil {
		return err
	}
	for _, name := range empty {
		if !gone[name] {
			continue
		}
		one := known(name)
		wanted := map[string]bool{one: true}
		if err := keepRefused(ctx, []string{one}, wanted, guard); err != nil {
			return err
		}
		if !wanted[one] {
			continue
		}
		if err := s.server.DropEmpty(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
