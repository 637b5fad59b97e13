package milvus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, and their chunks from every shared one,
// until it finds none. Nothing waits.
func (s *Store) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if ids = vectors.Distinct(ids, utf8.ValidString); len(ids) == 0 {
		return removed, nil
	}
	owner := func(collection string) string {
		id, _ := vectors.CollectionOwner(collection)
		return id
	}
	err = s.settle(ctx, func(names serverNames) error {
		if err := s.removeWhole(ctx, names, vectors.FileCollections(ids), owner, guard, &removed); err != nil {
			return err
		}
		return s.removeShared(ctx, s.layout.shared(names), ids, guard, &removed)
	})
	return removed, err
}

// settle runs what removes. Where the application has begun to move collections meanwhile,
// what was removed may come back, and nothing is settled.
func (s *Store) settle(ctx context.Context, remove func(serverNames) error) error {
	names, err := s.listNames(ctx)
	if err == nil {
		err = remove(names)
	}
	if err == nil {
		_, err = s.listNames(ctx)
	}
	return err
}

// sectionsAtOnce bounds the sections in which it is looked, and deleted, at one time: an
// answer that has seen all that was written waits for the server's clock, and does nothing
// meanwhile.
const sectionsAtOnce = 16

// removeShared deletes the chunks of these files where those of several lie.
func (s *Store) removeShared(ctx context.Context, shared []section, ids []string, guard vectors.Guard, removed *vectors.Removed) error {
	for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
		err := vectors.RemoveFromEach(ctx, shared, sectionsAtOnce, guard, removed, func(ctx context.Context, from section, guard vectors.Guard, removed *vectors.Removed) error {
			find := func(ctx context.Context, files []string) ([]row, error) {
				return s.firstRows(ctx, from, question{metadata: true, files: files})
			}
			return s.removalFrom(from, find, fileOf).Run(ctx, some, guard, removed)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// RemoveCollections removes them as it removes files' own. Nothing waits.
func (s *Store) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckWhole(names); err != nil {
		return removed, err
	}
	if names = vectors.Distinct(names, utf8.ValidString); len(names) == 0 {
		return removed, nil
	}
	itself := func(collection string) string { return collection }
	err = s.settle(ctx, func(there serverNames) error {
		return s.removeWhole(ctx, there, names, itself, guard, &removed)
	})
	return removed, err
}

// RemovePoints deletes points until it finds none that may go. Nothing waits.
func (s *Store) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckListed(collection); err != nil {
		return removed, err
	}
	if ids = vectors.Distinct(ids, utf8.ValidString); len(ids) == 0 {
		return removed, nil
	}
	err = s.settle(ctx, func(names serverNames) error {
		for _, from := range s.layout.locate(names, []string{collection}) {
			for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
				find := func(ctx context.Context, keys []string) ([]row, error) {
					return s.firstRows(ctx, from, question{keys: keys})
				}
				if err := s.removalFrom(from, find, keyOf).Run(ctx, some, guard, &removed); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return removed, err
}

func fileOf(r row) string { return r.file }
func keyOf(r row) string  { return r.key }

// removeWhole removes collections of the application's: drops them where each is one of the
// server's, else deletes their rows. subject is what the guard knows a collection by.
func (s *Store) removeWhole(ctx context.Context, names serverNames, wanted []string, subject func(string) string, guard vectors.Guard, removed *vectors.Removed) error {
	var dropped []section
	for _, from := range s.layout.locate(names, wanted) {
		if from.logical == "" {
			if err := s.deleteTenants(ctx, from, subject, guard, removed); err != nil {
				return err
			}
			continue
		}
		gone, err := s.dropCollection(ctx, from, subject(from.logical), guard, removed)
		if err != nil {
			return err
		}
		if gone {
			dropped = append(dropped, from)
		}
	}
	return s.requireDropped(ctx, dropped)
}

// deleteTenants deletes all rows of the section's tenants.
func (s *Store) deleteTenants(ctx context.Context, from section, subject func(string) string, guard vectors.Guard, removed *vectors.Removed) error {
	var subjects []string
	tenants := map[string]string{} // by subject
	for _, tenant := range from.tenants {
		subjects = append(subjects, subject(tenant))
		tenants[subject(tenant)] = tenant
	}
	find := func(ctx context.Context, subjects []string) ([]row, error) {
		some := section{collection: from.collection}
		for _, one := range subjects {
			some.tenants = append(some.tenants, tenants[one])
		}
		return s.firstRows(ctx, some, question{})
	}
	return s.removalFrom(from, find, func(r row) string { return subject(r.collection) }).Run(ctx, subjects, guard, removed)
}

// dropCollection drops a collection that holds one of the application's alone: a search of
// the running application fails there, of what nothing uses any more, everything else finds
// nothing, and it makes it again when it writes.
func (s *Store) dropCollection(ctx context.Context, from section, subject string, guard vectors.Guard, removed *vectors.Removed) (bool, error) {
	chunks, err := s.countRows(ctx, from.collection)
	if err != nil {
		return false, err
	}
	if may, err := guard(ctx, []string{subject}); err != nil || !slices.Contains(may, subject) {
		return false, err
	}
	if _, err := call(ctx, s, "drop collection "+from.collection.name, s.server.DropCollection, &milvuspb.DropCollectionRequest{CollectionName: from.collection.name}); err != nil {
		return false, err
	}
	removed.Chunks += chunks
	return true, nil
}

// requireDropped looks again. What the application made again meanwhile waits for the next
// time, as does what the server kept.
func (s *Store) requireDropped(ctx context.Context, dropped []section) error {
	if len(dropped) == 0 {
		return nil
	}
	names, err := s.listNames(ctx)
	if err != nil {
		return err
	}
	for _, from := range dropped {
		if names[from.collection.name] {
			return unusable("the Milvus server at %s still has collection %s, though it said that it dropped it", s.host, from.collection.name)
		}
	}
	return nil
}

// firstRows are rows that a question finds, of the first page that has any, as of now.
func (s *Store) firstRows(ctx context.Context, from section, q question) ([]row, error) {
	q.strong = true
	for page, err := range s.listRows(ctx, from, q) {
		if q.metadata {
			page = slices.DeleteFunc(page, func(r row) bool { return !vectors.IsShared(r.collection) })
		}
		if err != nil || len(page) > 0 {
			return page, err
		}
	}
	return nil, nil
}

// removalFrom removes rows of a section.
func (s *Store) removalFrom(from section, find func(context.Context, []string) ([]row, error), subject func(row) string) vectors.Removal[row] {
	return vectors.Removal[row]{
		Find: find, Key: keyOf, Subject: subject,
		Delete: func(ctx context.Context, keys []string) (int64, error) {
			return s.deleteKeys(ctx, from.collection, keys)
		},
		Disobeyed: func(key string) error {
			return unusable("the Milvus server at %s does not delete row %s of collection %s, though it says so", s.host, key, from.collection.name)
		},
	}
}

// deleteKeys is the only request that deletes rows. A key is that of a random UUID: no two
// collections of the application's have the same.
func (s *Store) deleteKeys(ctx context.Context, c collection, keys []string) (int64, error) {
	if c.name == "" || len(keys) == 0 {
		return 0, fmt.Errorf("delete no rows of collection %q", c.name)
	}
	_, err := call(ctx, s, fmt.Sprintf("delete %d rows of collection %s", len(keys), c.name), s.server.Delete, &milvuspb.DeleteRequest{
		CollectionName:   c.name,
		Expr:             keyField + " in [" + strings.Join(quoteAll(keys), ",") + "]",
		ConsistencyLevel: commonpb.ConsistencyLevel_Strong,
	})
	if err != nil {
		return 0, err
	}
	return int64(len(keys)), nil
}
