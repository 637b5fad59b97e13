package flat

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, then their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	ids = vectors.Distinct(ids, utf8.ValidString)
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	if err := s.removeWhole(ctx, vectors.FileCollections(ids), owner, guard, &removed); err != nil {
		return removed, err
	}
	for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
		removal := s.removalOf(ofFiles, func(p Point) string { return p.File })
		if err := removal.Run(ctx, some, guard, &removed); err != nil {
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
	err = s.removeWhole(ctx, vectors.Distinct(names, utf8.ValidString), itself, guard, &removed)
	return removed, err
}

// RemovePoints removes points until it finds none that may go. Nothing waits.
func (s *Store) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckListed(collection); err != nil {
		return removed, err
	}
	ask := func(ids []string) Question { return Question{Collections: []string{collection}, IDs: ids} }
	for some := range slices.Chunk(vectors.Distinct(ids, s.server.CanHave), vectors.FilesAtOnce) {
		removal := s.removalOf(ask, func(p Point) string { return p.ID })
		if err := removal.Run(ctx, some, guard, &removed); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// removeWhole removes collections, and what is left of those that may go when they have no
// points any more; subject is what the guard knows one by.
func (s *Store) removeWhole(ctx context.Context, names []string, subject func(collection string) string, guard vectors.Guard, removed *vectors.Removed) error {
	if len(names) == 0 {
		return nil
	}
	refused := map[string]bool{}
	noting := func(ctx context.Context, asked []string) ([]string, error) {
		may, err := guard(ctx, asked)
		allowed := vectors.Set(may)
		for _, one := range asked {
			refused[one] = refused[one] || !allowed[one]
		}
		return may, err
	}
	for some := range slices.Chunk(names, vectors.FilesAtOnce) {
		named := map[string]string{}
		var subjects []string
		for _, name := range some {
			named[subject(name)] = name
			subjects = append(subjects, subject(name))
		}
		ask := func(subjects []string) (q Question) {
			for _, one := range subjects {
				q.Collections = append(q.Collections, named[one])
			}
			return q
		}
		removal := s.removalOf(ask, func(p Point) string { return subject(p.Collection) })
		if err := removal.Run(ctx, subjects, noting, removed); err != nil {
			return err
		}
	}
	empty, err := s.server.ListEmpty(ctx)
	if err != nil {
		return err
	}
	wanted := vectors.Set(names)
	for _, name := range empty {
		one := subject(name)
		if !wanted[name] || refused[one] {
			continue
		}
		if _, err := noting(ctx, []string{one}); err != nil {
			return err
		}
		if refused[one] {
			continue
		}
		if err := s.server.DropEmpty(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// removalOf removes what is asked for, which is never everything; subject is what the guard
// knows a point by.
func (s *Store) removalOf(ask func(subjects []string) Question, subject func(Point) string) vectors.Removal[Point] {
	gone := map[string]bool{}
	return vectors.Removal[Point]{
		Find: func(ctx context.Context, subjects []string) ([]Point, error) {
			return s.findLeft(ctx, ask(subjects), gone)
		},
		Key: s.server.Key, Subject: subject,
		Delete: func(ctx context.Context, keys []string) (int64, error) {
			if len(keys) == 0 || slices.Contains(keys, "") {
				return 0, errors.New("asked to delete nothing")
			}
			if err := s.server.Delete(ctx, keys); err != nil {
				return 0, err
			}
			for _, key := range keys {
				gone[key] = true
			}
			return int64(len(keys)), nil
		},
		AtOnce:    s.server.MaxDelete,
		Disobeyed: s.disobeyed,
	}
}

func (s *Store) disobeyed(key string) error {
	return s.server.Unusable("does not delete %s, though it says so", key)
}

// firstPause is until it is looked again whether a server shows what it deleted.
const firstPause = 100 * time.Millisecond

// findLeft finds some that are meant, but for what is gone. As long as a server shows nothing
// but that, it is waited for: it may hide what is left.
func (s *Store) findLeft(ctx context.Context, q Question, gone map[string]bool) ([]Point, error) {
	if len(q.Collections)+len(q.Files)+len(q.IDs) == 0 {
		return nil, errors.New("asked to remove nothing in particular")
	}
	match := q.Match()
	for until, pause := time.Now().Add(s.server.Freshness()), firstPause; ; pause *= 2 {
		found, err := s.server.ReadFirst(ctx, q)
		found = slices.DeleteFunc(found, func(p Point) bool { return !match(p) })
		if err != nil || len(found) == 0 {
			return nil, err
		}
		shown := s.server.Key(found[0])
		found = slices.DeleteFunc(found, func(p Point) bool { return gone[s.server.Key(p)] })
		if len(found) > 0 {
			return found, nil
		}
		if !time.Now().Before(until) {
			return nil, s.disobeyed(shown)
		}
		if err := vectors.Wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}
