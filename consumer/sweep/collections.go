package sweep

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/vectors"
)

// Collections that hold nothing of files, and points in them, are found by listing the
// store and asking the database what each lives by. The names are listed before the
// reference index is brought up to date, so that one reading of the tables looks for all
// of them.

// knowledgeAtOnce bounds the knowledge bases whose files are in memory.
const knowledgeAtOnce = 50

// names are the collections of the store.
type names struct {
	list   []vectors.Collection
	took   time.Duration
	rested bool // they were listed just now, and not again
	failed bool
}

// listNames lists the store's collections, and has the index look for those that live by a
// mention. A store that cannot be listed keeps nothing else from being swept.
func (w *run) listNames(ctx context.Context) error {
	store, keeps := w.Vectors.(vectors.CollectionStore)
	if !keeps {
		return nil
	}
	if last, known := w.listed[repo.FromPoints]; known && w.mayRest(last) {
		w.names.rested = true
		return nil
	}
	began := time.Now()
	var list []leftover.Leftover
	for c, err := range store.ListCollections(ctx) {
		if err != nil {
			w.names.failed = true
			w.failed = errors.Join(w.failed, &listError{store.Info().Name, err})
			return ctx.Err()
		}
		w.names.list = append(w.names.list, c)
		list = append(list, leftover.Leftover{Collection: c.Name})
	}
	w.names.took = time.Since(began)
	return w.DB.SetNames(ctx, leftover.Names(list))
}

// leftoverDirections are those of collections and points, where the store can list them.
func (w *run) leftoverDirections() []*direction {
	if _, keeps := w.Vectors.(vectors.CollectionStore); !keeps || w.names.failed {
		return nil
	}
	store := repo.StoreInfo(w.Vectors.Info())
	return []*direction{
		{Direction: repo.FromCollections, store: store, reason: "nothing uses the collection", files: w.namedCollections},
		{Direction: repo.FromPoints, store: store, reason: "the row of the point is gone", files: w.namedPoints},
	}
}

// namedCollections are those that were listed before the tables were read.
func (w *run) namedCollections(context.Context) iter.Seq2[repo.Listed, error] {
	return func(yield func(repo.Listed, error) bool) {
		for _, c := range w.names.list {
			if _, ok := leftover.Parse(c.Name, repo.FromCollections); ok && !yield(repo.Listed{FileID: c.Name, Chunks: c.Chunks}, nil) {
				return
			}
		}
	}
}

// namedPoints lists the points of collections that are not leftovers themselves, and what
// knowledge bases hold of each file, where a link is missing: only there are the ids of all
// chunks read, that tell whether others came since.
func (w *run) namedPoints(ctx context.Context) iter.Seq2[repo.Listed, error] {
	var names, knowledge []string
	for _, c := range w.names.list {
		switch {
		case w.unused[c.Name]:
		case vectors.PointTable(c.Name) != "":
			names = append(names, c.Name)
		case w.unlinked[c.Name]:
			knowledge = append(knowledge, c.Name)
		}
	}
	store := w.Vectors.(vectors.CollectionStore)
	return func(yield func(repo.Listed, error) bool) {
		for p, err := range store.ListPoints(ctx, names) {
			if !yield(repo.Listed{FileID: leftover.Leftover{Collection: p.Collection, Point: p.ID}.Name(), Chunks: 1}, err) {
				return
			}
		}
		for some := range slices.Chunk(knowledge, knowledgeAtOnce) {
			held, err := leftover.ListHeld(ctx, store, some, nil)
			if err != nil {
				yield(repo.Listed{}, err)
				return
			}
			for l, h := range held {
				if !yield(repo.Listed{FileID: l.Name(), Chunks: h.Chunks}, nil) {
					return
				}
			}
		}
	}
}

// sweepLeftovers lists and publishes collections, then points, where the store of vectors
// was listed.
func (w *run) sweepLeftovers(ctx context.Context, listed []*direction) error {
	i := slices.IndexFunc(listed, func(d *direction) bool { return d.Direction == repo.FromVectors })
	if i < 0 {
		return nil // the store cannot be read
	}
	w.unlinked = listed[i].unlinked
	began := time.Now()
	for _, d := range w.leftoverDirections() {
		done, err := w.listLeftovers(ctx, d)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		if err := w.publishDue(ctx, d); err != nil {
			return err
		}
	}
	if last, known := w.listed[repo.FromPoints]; known && !w.names.rested {
		last.took = w.names.took + time.Since(began)
		w.listed[repo.FromPoints] = last
	}
	return nil
}

// listLeftovers is listStore, by the rest that was taken when the names were to be listed.
func (w *run) listLeftovers(ctx context.Context, d *direction) (done bool, err error) {
	if w.names.rested {
		last, known := w.listed[d.Direction]
		d.contents = last.contents
		return known, nil
	}
	return w.readStore(ctx, d)
}

// recordLeftovers makes candidates of those of a page that nothing uses.
func (w *run) recordLeftovers(ctx context.Context, d *direction, page []repo.Listed, count *tally) error {
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		free, err := w.findFree(ctx, tx, d, page)
		if err != nil {
			return err
		}
		var unused []repo.Listed
		for _, item := range page {
			if count.addLeftover(item.FileID, free[item.FileID]); free[item.FileID] {
				unused = append(unused, item)
				if d.Direction == repo.FromCollections {
					w.unused[item.FileID] = true
				}
			}
		}
		if len(unused) == 0 {
			return nil
		}
		return w.DB.UpsertListed(ctx, tx, w.number, d.Direction, d.store.Name, unused)
	})
}

// findFree says which of a page nothing uses, as of the last pass.
func (w *run) findFree(ctx context.Context, tx repo.Tx, d *direction, page []repo.Listed) (free map[string]bool, err error) {
	var list []leftover.Leftover
	for _, item := range page {
		if l, ok := leftover.Parse(item.FileID, d.Direction); ok {
			list = append(list, l)
		}
	}
	found := repo.References{Unknown: map[string]bool{}}
	names := leftover.Names(list)
	for _, name := range names {
		found.Unknown[name] = true
	}
	if len(names) > 0 {
		unmentioned, err := w.DB.FindUnmentioned(ctx, tx, names)
		if err != nil {
			return nil, err
		}
		for _, name := range unmentioned {
			delete(found.Unknown, name)
		}
	}
	uses, err := leftover.FindUses(ctx, w.DB, tx, list, found)
	free = map[string]bool{}
	for l, use := range uses {
		if use.IsFree() {
			free[l.Name()] = true
		}
	}
	if err != nil {
		return nil, err
	}
	return free, w.leaveToFiles(ctx, tx, list, free)
}
