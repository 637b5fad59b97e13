package chroma

import (
	"context"
	"slices"

	"pruned/vectors"
)

// groupOf bounds what is dealt with together: each group reads the queue once.
const groupOf = 500

// Remove removes without asking anybody.
func (e *Embedded) Remove(ctx context.Context, _ vectors.Tx, ids []string) (removed vectors.Removed, err error) {
	return e.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded drops the files' own collections, and asks Chroma to delete their
// chunks from shared ones; files of which such chunks are still there wait. The
// guard is asked within each transaction, when that has Chroma's write lock.
func (e *Embedded) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if len(ids) == 0 {
		return removed, nil
	}
	// A file that was reported twice has two tombstones, and its chunks are to be
	// asked for once.
	ids = distinct(ids)
	e.removed.Store(true)
	err = e.withSession(ctx, "remove chunks from the embedded Chroma", func(s *session) error {
		asked, err := s.findPendingDeletes(ctx)
		if err != nil {
			return err
		}
		shared := &requests{session: s, asked: asked, guard: guard}
		defer func() { removed.Chunks += shared.made }()
		for group := range slices.Chunk(ids, groupOf) {
			gone, err := s.dropCollections(ctx, vectors.FileCollections(group), guardOwners(guard))
			removed.Chunks += gone
			if err != nil {
				return err
			}
			inShared, err := queryColumn[string](ctx, s, inSharedSQL, jsonArray(group))
			if err != nil {
				return err
			}
			for _, id := range inShared {
				waits, err := shared.requestDeletes(ctx, id)
				if err != nil {
					return err
				}
				if waits {
					removed.Waiting = append(removed.Waiting, id)
				}
			}
			if err := shared.sendRequests(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}

func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// guardOwners asks a guard that knows files about their own collections.
func guardOwners(guard vectors.Guard) vectors.Guard {
	return func(ctx context.Context, names []string) ([]string, error) {
		files := make([]string, len(names))
		for i, name := range names {
			files[i], _ = vectors.CollectionOwner(name)
		}
		may, err := guard(ctx, files)
		return vectors.FileCollections(may), err
	}
}
