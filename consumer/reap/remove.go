package reap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"pruned/consumer/fault"
	"pruned/repo"
	"pruned/vectors"
)

// dropReferenced takes out tombstones whose file exists, or whose bytes a row uses.
func (x *Reaper) dropReferenced(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (rest []repo.Tombstone, c repo.Settlement, err error) {
	living, err := x.DB.StillReferenced(ctx, tx, due)
	if err != nil {
		return nil, c, err
	}
	rest = make([]repo.Tombstone, 0, len(due))
	for _, t := range due {
		if !living[t.Seq] {
			rest = append(rest, t)
			continue
		}
		c.Done = append(c.Done, t.Seq)
		c.Notes = append(c.Notes, repo.Note{FileID: t.FileID, Text: t.Kind + " kept: a row has this id or uses them, or one in the trash does"})
		x.Log.Warn().Str("file", t.FileID).Str("kind", t.Kind).Str("name", t.Name).
			Msg("a tombstone is dropped: a row has this id or uses these bytes, or one in the trash does")
	}
	return rest, c, nil
}

// removeVectors asks the store once for all. Files that wait for the store are
// looked at again.
func (x *Reaper) removeVectors(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (c removal, err error) {
	ids := make([]string, len(due))
	for i, t := range due {
		ids[i] = t.FileID
	}
	g := x.newRowGuard(due)
	var removed vectors.Removed
	if tx != nil {
		removed, err = x.Vectors.Remove(ctx, tx, ids)
	} else {
		removed, err = g.removeGuarded(ctx, ids)
	}
	c.Settlement, c.removed.Chunks = g.kept, removed.Chunks
	if err != nil {
		return c, repo.StoreError(ctx, "remove vectors", err, errors.Is(err, vectors.ErrUnusable))
	}
	waiting := make(map[string]bool, len(removed.Waiting))
	for _, id := range removed.Waiting {
		waiting[id] = true
	}
	for _, t := range due {
		switch {
		case g.pending[t.FileID] == nil: // kept
		case waiting[t.FileID]:
			c.Retry = append(c.Retry, repo.Retry{Seq: t.Seq, Delay: retryDelay(t, maxWaitingDelay), Reason: "the vector store has still to carry it out"})
		default:
			c.Done = append(c.Done, t.Seq)
		}
	}
	x.Log.Debug().Int("files", len(ids)).Int64("chunks", removed.Chunks).Int("waiting", len(c.Retry)).Msg("looked for left-over vectors")
	return c, nil
}

const (
	// bytesBatchSize are looked for by their ids at once, at first; then twice as many as
	// were removed while the last answer held.
	bytesBatchSize, maxBytesBatch = 250, 1000
	// maxAnswerAge is how old the answer may be that no row has the id of an object that
	// goes. Hundreds leave a folder meanwhile; a bucket may take longer for each.
	maxAnswerAge = 20 * time.Millisecond
	// maxNamesAge is the same of their names, which a plugin's row may share: to look for
	// one, or for all of a set, may be a scan of table file.
	maxNamesAge = 5 * time.Second
)

// removeBytes removes each; one that fails is postponed and does not hold up
// the rest.
func (x *Reaper) removeBytes(ctx context.Context, _ repo.Tx, due []repo.Tombstone) (c removal, err error) {
	size := bytesBatchSize
	for len(due) > 0 {
		asked := time.Now()
		rest, kept, err := x.recheckDue(ctx, due)
		if c.Add(kept); err != nil {
			return c, err
		}
		// One batch at least: looking for names may take longer than an answer may be old.
		for first := true; len(rest) > 0 && (first || time.Since(asked) < cmp.Or(x.answerAge, maxNamesAge)); first = false {
			batch := rest[:min(len(rest), size)]
			left, did, err := x.removeBatch(ctx, batch)
			if c.addRemoval(did); err != nil {
				return c, err
			}
			size = min(2*max(len(batch)-len(left), 1), maxBytesBatch)
			rest = slices.Concat(left, rest[len(batch):])
		}
		due = rest
	}
	return c, nil
}

// removeBatch looks for the ids of a set, and removes objects until the answer is too
// old, one at least. It returns what is left of the set.
func (x *Reaper) removeBatch(ctx context.Context, set []repo.Tombstone) (left []repo.Tombstone, c removal, err error) {
	if store, asks := x.Blobs.(repo.GuardedBlobs); asks {
		c, err = x.removeGuardedBytes(ctx, store, set)
		return nil, c, err
	}
	asked := time.Now()
	left, c.Settlement, err = x.recheckIDs(ctx, set)
	for first := true; err == nil && len(left) > 0 && (first || time.Since(asked) < cmp.Or(x.answerAge, maxAnswerAge)); first = false {
		if err := ctx.Err(); err != nil {
			return left, c, &repo.Error{Kind: repo.Passing, Doing: "remove bytes", Err: err}
		}
		var did removal
		did, err = x.removeObject(ctx, left[0])
		c.addRemoval(did)
		left = left[1:]
	}
	return left, c, err
}

// recheckIDs is recheckDue without the names, which may cost a scan.
func (x *Reaper) recheckIDs(ctx context.Context, set []repo.Tombstone) (rest []repo.Tombstone, c repo.Settlement, err error) {
	unnamed := slices.Clone(set)
	for i := range unnamed {
		unnamed[i].Name = ""
	}
	_, c, err = x.recheckDue(ctx, unnamed)
	rest = slices.DeleteFunc(slices.Clone(set), func(t repo.Tombstone) bool { return slices.Contains(c.Done, t.Seq) })
	return rest, c, err
}

// clockSlack is how coarse the times of a file system are.
const clockSlack = 2 * time.Second

// removeObject removes one object, unless it was written since the tombstone was.
func (x *Reaper) removeObject(ctx context.Context, t repo.Tombstone) (c removal, err error) {
	blob, there, err := x.Blobs.Stat(ctx, t.Name)
	if err == nil && there && isWrittenSince(t, blob) {
		return x.keepWritten(t), nil
	}
	if err == nil {
		var failed map[string]error
		failed, err = x.Blobs.Remove(ctx, []string{t.Name})
		err = cmp.Or(err, failed[t.Name])
	}
	if repo.KindOf(err) == repo.Environment { // the store is away: no tombstone's fault
		return c, err
	}
	fault.Point("object removed")
	if c = x.settleObject(t, err); err == nil && there {
		c.removed = Removed{Objects: 1, Bytes: blob.Size}
	}
	return c, nil
}

// isWrittenSince says that an object that was just looked at is younger than its tombstone,
// which has grown older since it was fetched: a restore may bring bytes before rows. A sweep
// finds what no row comes for.
func isWrittenSince(t repo.Tombstone, blob repo.Blob) bool {
	return blob.Age < t.Age+time.Since(t.Fetched)-clockSlack
}

func (x *Reaper) keepWritten(t repo.Tombstone) (c removal) {
	x.Log.Warn().Str("file", t.FileID).Str("name", t.Name).Msg("a tombstone is dropped: the bytes were written since")
	c.Done, c.Notes = []int64{t.Seq}, []repo.Note{{FileID: t.FileID, Text: "bytes kept: they were written since"}}
	return c
}

// settleObject is what becomes of a tombstone by why its object is still there, if it is.
func (x *Reaper) settleObject(t repo.Tombstone, failed error) (c removal) {
	switch {
	case failed == nil:
		c.Done = []int64{t.Seq}
	case errors.Is(failed, repo.ErrOutside):
		x.Log.Warn().Err(failed).Str("file", t.FileID).Msg("the bytes of a deleted file are left alone")
		c.Notes = []repo.Note{{FileID: t.FileID, Text: "bytes left alone: " + failed.Error()}}
		c.Done = []int64{t.Seq}
	default:
		c.Retry = []repo.Retry{x.retryFailed(t, failed)}
	}
	return c
}

// A check and its act belong together. A set of tombstones takes minutes, and rows
// come back meanwhile (a backup is restored, a deletion is taken back): that no row
// has an id is asked again right before anything of that file is removed (of bytes: see
// maxAnswerAge), or, in the database itself, within the transaction that removes it, which
// is rolled back where one came.

// errRestored rolls back a removal.
var errRestored = errors.New("rows came back meanwhile")

// maxRestoredTries is how often a set is tried in which rows come back.
const maxRestoredTries = 3

// checkStillGone fails where a row came back while the transaction removed its vectors.
func (x *Reaper) checkStillGone(ctx context.Context, tx repo.Tx, removed []repo.Tombstone) error {
	living, err := x.DB.StillReferenced(ctx, tx, removed)
	if err == nil && len(living) > 0 {
		err = &repo.Error{Kind: repo.Passing, Doing: "remove vectors", Err: errRestored}
	}
	return err
}

// recheckDue takes out what may not be carried out any more, as of now.
func (x *Reaper) recheckDue(ctx context.Context, set []repo.Tombstone) (rest []repo.Tombstone, c repo.Settlement, err error) {
	err = x.DB.InTx(ctx, nil, func(tx repo.Tx) (err error) {
		rest, c, err = x.dropReferenced(ctx, tx, set)
		return err
	})
	return rest, c, err
}

// rowGuard is asked by a vector store outside the database about the files of a set.
type rowGuard struct {
	reaper  *Reaper
	pending map[string][]repo.Tombstone // by file
	kept    repo.Settlement             // what came back
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
	rest, kept, err := g.reaper.recheckDue(ctx, ask)
	if err != nil {
		return nil, err
	}
	g.kept.Add(kept)
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
