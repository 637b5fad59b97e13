package reap

import (
	"context"
	"errors"

	"pruned/repo"
	"pruned/vectors"
)

// A check and its act belong together. A set of tombstones takes minutes, and rows
// come back meanwhile (a backup is restored, a deletion is taken back): that no row
// has an id is asked again right before anything of that file is removed, or, in
// the database itself, within the transaction that removes it, which is rolled back
// where one came.

// errRestored rolls back a removal.
var errRestored = errors.New("rows came back meanwhile")

// maxRestoredTries is how often a set is tried in which rows come back.
const maxRestoredTries = 3

// checkStillGone fails where a row came back while the transaction removed its vectors.
func (x *Reaper) checkStillGone(ctx context.Context, tx repo.Tx, removed []repo.Tombstone) error {
	living, err := x.DB.Living(ctx, tx, removed)
	if err == nil && len(living) > 0 {
		err = &repo.Error{Kind: repo.Passing, Doing: "remove vectors", Err: errRestored}
	}
	return err
}

// recheckDue takes out what may not be carried out any more, as of now, also within a
// transaction: each statement sees what was committed before it.
func (x *Reaper) recheckDue(ctx context.Context, tx repo.Tx, set []repo.Tombstone) (rest []repo.Tombstone, c outcome, err error) {
	err = x.DB.InTx(ctx, tx, func(tx repo.Tx) (err error) {
		rest, c, err = x.dropReferenced(ctx, tx, set)
		return err
	})
	return rest, c, err
}

// rowGuard is asked by a vector store outside the database about the files of a set.
type rowGuard struct {
	reaper    *Reaper
	pending map[string][]repo.Tombstone // by file
	kept outcome                     // what came back
}

func (x *Reaper) newRowGuard(set []repo.Tombstone) *rowGuard {
	g := &rowGuard{reaper: x, pending: make(map[string][]repo.Tombstone, len(set))}
	for _, t := range set {
		g.pending[t.FileID] = append(g.pending[t.FileID], t)
	}
	return g
}

// checkRows is a vectors.Guard.
func (g *rowGuard) checkRows(ctx context.Context, ids []string) (may []string, err error) {
	var ask []repo.Tombstone
	for _, id := range ids {
		ask = append(ask, g.pending[id]...)
	}
	if len(ask) == 0 {
		return nil, nil
	}
	rest, kept, err := g.reaper.recheckDue(ctx, nil, ask)
	if err != nil {
		return nil, err
	}
	g.kept.merge(kept)
	for _, id := range ids {
		delete(g.pending, id)
	}
	for _, t := range rest {
		if g.pending[t.FileID] == nil {
			may = append(may, t.FileID)
		}
		g.pending[t.FileID] = append(g.pending[t.FileID], t)
	}
	return may, nil
}

// removeGuarded asks the store for the files of the set. One that does not ask the guard
// itself is asked for each file alone.
func (g *rowGuard) removeGuarded(ctx context.Context, ids []string) (removed vectors.Removed, err error) {
	if store, asks := g.reaper.Vectors.(vectors.Guarded); asks {
		return store.RemoveGuarded(ctx, ids, g.checkRows)
	}
	for _, id := range ids {
		may, err := g.checkRows(ctx, []string{id})
		if err != nil {
			return removed, err
		}
		if len(may) == 0 {
			continue
		}
		one, err := g.reaper.Vectors.Remove(ctx, nil, may)
		if err != nil {
			return removed, err
		}
		removed.Chunks += one.Chunks
		removed.Waiting = append(removed.Waiting, one.Waiting...)
	}
	return removed, nil
}
