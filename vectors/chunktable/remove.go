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
	ids = distinct(ids, s.dialect.CanHold)
	owner := func(r row) string {
		id, _ := vectors.CollectionOwner(r.collection)
		return id
	}
	for some := range slices.Chunk(ids, filesAtOnce) {
		ask := func(ids []string) condition { return condition{collections: ownCollections(ids)} }
		isOwn := func(r row) bool { return strings.HasPrefix(r.collection, vectors.FileCollection("")) }
		if err := s.removeRows(ctx, some, subject{ask, isOwn, owner}, guard, &removed); err != nil {
			return removed, err
		}
	}
	for some := range slices.Chunk(ids, filesAtOnce) {
		ask := func(ids []string) condition { return condition{files: ids, metadata: true} }
		isShared := func(r row) bool { return vectors.IsShared(r.collection) }
		if err := s.removeRows(ctx, some, subject{ask, isShared, func(r row) string { return r.file }}, guard, &removed); err != nil {
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
	for some := range slices.Chunk(distinct(names, s.dialect.CanHold), filesAtOnce) {
		ask := func(names []string) condition { return condition{collections: names} }
		always := func(row) bool { return true }
		if err := s.removeRows(ctx, some, subject{ask, always, func(r row) string { return r.collection }}, guard, &removed); err != nil {
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
	for some := range slices.Chunk(distinct(ids, s.dialect.CanHoldID), filesAtOnce) {
		ask := func(ids []string) condition { return condition{ids: ids} }
		isThere := func(r row) bool { return r.collection == collection }
		if err := s.removeRows(ctx, some, subject{ask, isThere, func(r row) string { return r.id }}, guard, &removed); err != nil {
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

// removeRows removes rows of these subjects, and looks again until it finds none that may
// go.
func (s *Store) removeRows(ctx context.Context, wanted []string, what subject, guard vectors.Guard, removed *vectors.Removed) error {
	for last := ""; len(wanted) > 0; {
		rows, err := s.findRows(ctx, wanted, what)
		if err != nil || len(rows) == 0 {
			return err
		}
		if rows[0].id == last {
			return s.describeFailure(ctx, "delete row "+last, errDisobeyed)
		}
		if wanted, last, err = s.deleteRows(ctx, rows, wanted, what, guard, removed); err != nil {
			return err
		}
	}
	return nil
}

var errDisobeyed = fmt.Errorf("it is still there, though the database said that it deleted it")

// findRows are some of the rows that are meant, as of now.
func (s *Store) findRows(ctx context.Context, wanted []string, what subject) (rows []row, err error) {
	is := set(wanted)
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

// deleteRows deletes these rows bite by bite, and asks before each. It returns what of the
// wanted may go as far as is known, and the first key that went.
func (s *Store) deleteRows(ctx context.Context, rows []row, wanted []string, what subject, guard vectors.Guard, removed *vectors.Removed) (may []string, first string, err error) {
	kept := map[string]bool{}
	for len(rows) > 0 {
		n := min(len(rows), s.bite.size())
		var ids, asked []string
		for _, r := range rows[:n] {
			asked = append(asked, what.of(r))
		}
		asked = slices.DeleteFunc(distinct(asked, s.dialect.CanHold), func(one string) bool { return kept[one] })
		allowed, err := s.ask(ctx, guard, asked)
		if err != nil {
			return nil, "", err
		}
		for _, one := range asked {
			kept[one] = !allowed[one]
		}
		for _, r := range rows[:n] {
			if allowed[what.of(r)] {
				ids = append(ids, r.id)
			}
		}
		if rows = rows[n:]; len(ids) == 0 {
			continue
		}
		chunks, err := s.deleteIDs(ctx, ids)
		if err != nil {
			return nil, "", err
		}
		removed.Chunks += chunks
		if first == "" {
			first = ids[0]
		}
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(one string) bool { return kept[one] }), first, nil
}

func (s *Store) ask(ctx context.Context, guard vectors.Guard, asked []string) (map[string]bool, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	may, err := guard(ctx, asked)
	return set(may), err
}
