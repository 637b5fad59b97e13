package chunktable

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pruned/vectors"
)

// Remove removes without asking anybody.
func (s *Store) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, then their chunks from every shared
// one, until it finds none. Nothing waits.
func (s *Store) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	ids = vectors.Distinct(ids, s.dialect.CanHold)
	owner := func(r row) string {
		id, _ := vectors.CollectionOwner(r.collection)
		return id
	}
	for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
		ask := func(ids []string) condition { return condition{collections: vectors.FileCollections(ids)} }
		isOwn := func(r row) bool { return strings.HasPrefix(r.collection, vectors.FileCollection("")) }
		if err := s.removal(subject{ask, isOwn, owner}).Run(ctx, some, guard, &removed); err != nil {
			return removed, err
		}
	}
	for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
		ask := func(ids []string) condition { return condition{files: ids, metadata: true} }
		isShared := func(r row) bool { return vectors.IsShared(r.collection) }
		if err := s.removal(subject{ask, isShared, func(r row) string { return r.file }}).Run(ctx, some, guard, &removed); err != nil {
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
	for some := range slices.Chunk(vectors.Distinct(names, s.dialect.CanHold), vectors.FilesAtOnce) {
		ask := func(names []string) condition { return condition{collections: names} }
		always := func(row) bool { return true }
		if err := s.removal(subject{ask, always, func(r row) string { return r.collection }}).Run(ctx, some, guard, &removed); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// RemovePoints removes points until it finds none that may go. Nothing waits.
func (s *Store) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckListed(collection); err != nil {
		return removed, err
	}
	for some := range slices.Chunk(vectors.Distinct(ids, s.dialect.CanHoldID), vectors.FilesAtOnce) {
		ask := func(ids []string) condition { return condition{ids: ids} }
		isThere := func(r row) bool { return r.collection == collection }
		if err := s.removal(subject{ask, isThere, func(r row) string { return r.id }}).Run(ctx, some, guard, &removed); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// subject is what a removal is about, and what the guard knows it by.
type subject struct {
	ask   func(wanted []string) condition
	meant func(row) bool
	of    func(row) string
}

// rowsAtOnce bounds what is found by one question: a look for files reads the whole table.
const rowsAtOnce = 16_384

// removal removes rows bite by bite.
func (s *Store) removal(what subject) vectors.Removal[row] {
	return vectors.Removal[row]{
		Find:    func(ctx context.Context, wanted []string) ([]row, error) { return s.findRows(ctx, wanted, what) },
		Key:     func(r row) string { return r.id },
		Subject: what.of, Delete: s.deleteIDs, AtOnce: s.bite.size,
		Disobeyed: func(id string) error {
			return fmt.Errorf("%w: %s, delete row %s: it is still there, though the database said that it deleted it", vectors.ErrUnusable, s.dialect.Name, id)
		},
	}
}

// findRows are some of the rows that are meant, as of now.
func (s *Store) findRows(ctx context.Context, wanted []string, what subject) (rows []row, err error) {
	is := vectors.Set(wanted)
	for r, err := range s.listRows(ctx, what.ask(wanted)) {
		if err != nil {
			return nil, err
		}
		if what.meant(r) && is[what.of(r)] {
			rows = append(rows, r)
		}
		if len(rows) == rowsAtOnce {
			break
		}
	}
	return rows, nil
}
