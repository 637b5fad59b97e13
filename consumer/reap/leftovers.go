package reap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/vectors"
)

// leftoverSet are tombstones of collections and points on their way.
type leftoverSet struct {
	reaper  *Reaper
	pending map[leftover.Leftover][]repo.Tombstone
	waiting map[leftover.Leftover]string // why, of those that are tried again
	kept    repo.Settlement              // what is in use again, or is no leftover
}

// newLeftoverSet takes out what an older or newer pruned named otherwise than we do.
func (x *Reaper) newLeftoverSet(due []repo.Tombstone) *leftoverSet {
	s := &leftoverSet{reaper: x, pending: map[leftover.Leftover][]repo.Tombstone{}, waiting: map[leftover.Leftover]string{}}
	for _, t := range due {
		l, ok := leftover.Parse(t.FileID, directionOf(t.Kind))
		if !ok {
			s.drop(t, "Open WebUI gives no such names")
			continue
		}
		s.pending[l] = append(s.pending[l], t)
	}
	return s
}

func directionOf(kind string) repo.Direction {
	if kind == repo.Collection {
		return repo.FromCollections
	}
	return repo.FromPoints
}

func (s *leftoverSet) drop(t repo.Tombstone, why string) {
	s.kept.Done = append(s.kept.Done, t.Seq)
	s.kept.Notes = append(s.kept.Notes, repo.Note{FileID: t.FileID, Text: "kept: " + why})
	s.reaper.Log.Warn().Str("kind", t.Kind).Str("name", t.FileID).Str("why", why).Msg("a tombstone is dropped")
}

// removeLeftovers removes collections or points. What came into use since the batch
// committed is kept; what the store, or a pass over the tables, has still to do is tried
// again.
func (x *Reaper) removeLeftovers(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (c removal, err error) {
	s := x.newLeftoverSet(due)
	store, keeps := x.Vectors.(vectors.CollectionStore)
	if !keeps {
		return c, &repo.Error{Kind: repo.Environment, Doing: "remove collections", Err: fmt.Errorf("%s cannot list its collections", x.Vectors.Info().Name)}
	}
	list := s.list()
	if tx != nil {
		if list, err = s.checkUses(ctx, tx, list); err != nil {
			return c, err
		}
	}
	chunks, rest, err := leftover.Remove(ctx, store, txOf(tx), list, s.checkInTx)
	c.removed.Chunks = chunks
	if err != nil {
		c.Settlement = s.kept
		return c, repo.StoreError(ctx, "remove collections", err, errors.Is(err, vectors.ErrUnusable))
	}
	if tx != nil {
		if err := s.checkStillFree(ctx, tx, list); err != nil {
			return c, err
		}
	}
	c.Settlement = s.settle(rest)
	return c, nil
}

// txOf is nothing where there is none, also as an interface.
func txOf(tx repo.Tx) vectors.Tx {
	if tx == nil {
		return nil
	}
	return tx
}

// list is what is pending, in an order of its own.
func (s *leftoverSet) list() (list []leftover.Leftover) {
	for l := range s.pending {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b leftover.Leftover) int { return strings.Compare(a.Name(), b.Name()) })
	return list
}

// checkInTx is a leftover.Guard.
func (s *leftoverSet) checkInTx(ctx context.Context, list []leftover.Leftover) (may []leftover.Leftover, err error) {
	err = s.reaper.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		may, err = s.checkUses(ctx, tx, list)
		return err
	})
	return may, err
}

// checkUses says which nothing uses as of now. Tombstones of those in use are dropped; of
// what nobody can tell yet they wait.
func (s *leftoverSet) checkUses(ctx context.Context, tx repo.Tx, list []leftover.Leftover) (may []leftover.Leftover, err error) {
	uses, err := s.reaper.findUses(ctx, tx, list)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		switch use := uses[l]; {
		case use.IsFree():
			may = append(may, l)
		case use.Unknown, use.Restored:
			s.waiting[l] = "nobody can say yet whether it is in use"
		default:
			for _, t := range s.pending[l] {
				s.drop(t, "mentioned by "+use.Reference.Table+" "+use.Reference.Row)
			}
			delete(s.pending, l)
		}
	}
	return may, nil
}

// findUses says what uses each. No row of table file decides, but missing ones tell that a
// backup may just be restored.
func (x *Reaper) findUses(ctx context.Context, tx repo.Tx, list []leftover.Leftover) (map[leftover.Leftover]leftover.Use, error) {
	var asked []repo.Tombstone
	for _, l := range list {
		asked = append(asked, repo.Tombstone{Kind: l.Direction().Kind(), FileID: l.Name()})
	}
	if _, err := x.DB.StillReferenced(ctx, tx, asked); err != nil {
		return nil, err
	}
	found, err := x.DB.FindReferences(ctx, tx, leftover.Names(list))
	if err != nil {
		return nil, err
	}
	if found.Pending != "" { // somebody may yet commit a mention
		found.Unknown = map[string]bool{}
		for _, name := range leftover.Names(list) {
			found.Unknown[name] = true
		}
	}
	return leftover.FindUses(ctx, x.DB, tx, list, found)
}

// checkStillFree fails where one came into use while the transaction removed it.
func (s *leftoverSet) checkStillFree(ctx context.Context, tx repo.Tx, removed []leftover.Leftover) error {
	uses, err := s.reaper.findUses(ctx, tx, removed)
	for _, l := range removed {
		if err == nil && !uses[l].IsFree() {
			err = &repo.Error{Kind: repo.Passing, Doing: "remove collections", Err: errRestored}
		}
	}
	return err
}

// settle closes what is pending, but for the rest that the store has to do, and what waits.
func (s *leftoverSet) settle(rest []leftover.Leftover) repo.Settlement {
	for _, l := range rest {
		s.waiting[l] = "the vector store has still to carry it out"
	}
	c := s.kept
	for l, tombstones := range s.pending {
		why, waits := s.waiting[l]
		for _, t := range tombstones {
			if waits {
				c.Retry = append(c.Retry, repo.Retry{Seq: t.Seq, Delay: retryDelay(t, maxWaitingDelay), Reason: why})
				continue
			}
			c.Done = append(c.Done, t.Seq)
		}
	}
	return c
}
