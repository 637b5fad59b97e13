package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pruned/repo"
	"pruned/vectors"
)

// Folders are those that a vector store keeps of collections which the application
// dropped. Nothing in the database names them, so there is nothing to lock and no event:
// the sweep removes them itself, by the same ages and under the same breaker. Their
// candidates have the folder's name in place of a file's id.
type Folders struct {
	Found   int64 `json:"found"`   // old enough, due or not, held or not
	Bytes   int64 `json:"bytes"`   // of the disk, that these take
	Removed int64 `json:"removed"` // of those that were found
	Freed   int64 `json:"freed"`   // bytes of the disk
	Failed  int64 `json:"failed"`  // could not be looked into, or not be removed
}

// sweepFolders finds and removes folders where the store of vectors was listed and
// is known to be this installation's.
func (w *run) sweepFolders(ctx context.Context, listed []*direction) error {
	if !slices.ContainsFunc(listed, func(d *direction) bool { return d.Direction == repo.FromVectors }) {
		return nil // the store cannot be read
	}
	keeper, keeps := w.Vectors.(vectors.FolderKeeper)
	if !keeps {
		return w.forgetFolders(ctx)
	}
	approved, err := w.isApproved(ctx, repo.StoreInfo(keeper.Info()))
	if err != nil {
		return err
	}
	if !approved {
		return w.forgetFolders(ctx)
	}
	defer w.logFolders()
	err = w.findFolders(ctx, keeper)
	if err == nil {
		err = w.removeFolders(ctx, keeper)
	}
	if errors.Is(err, vectors.ErrUnusable) && ctx.Err() == nil {
		w.failed = errors.Join(w.failed, err)
		return nil
	}
	return err
}

// isApproved says whether a store is this installation's. What a dry run would bind has
// no mark yet; a mark that cannot be read is told by doctor, and by the hold of vectors.
func (w *run) isApproved(ctx context.Context, store repo.StoreInfo) (bool, error) {
	if w.DryRun && w.confirmed[store.Name] {
		return true, nil
	}
	if _, _, err := store.MarkedBy(w.DB); err != nil {
		return false, nil
	}
	return repo.IsApproved(ctx, w.DB, w.tx, store)
}

// forgetFolders forgets what was found and held before the store was another one, or
// another installation's.
func (w *run) forgetFolders(ctx context.Context) error {
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		if err := w.DB.DropStale(ctx, tx, w.number, repo.FromFolders); err != nil {
			return err
		}
		return w.DB.ClearHold(ctx, tx, repo.FromFolders)
	})
}

// findFolders makes candidates of the leftovers that are old enough, and holds them
// where they are too many.
func (w *run) findFolders(ctx context.Context, keeper vectors.FolderKeeper) error {
	store := keeper.Info().Name
	leftovers, total, err := keeper.Leftovers(ctx)
	if err != nil {
		return err
	}
	var old []repo.Listed
	for _, left := range leftovers {
		switch {
		case left.Err != nil:
			w.countFailed(left)
		case left.Age >= w.Ages.Min:
			old = append(old, repo.Listed{FileID: left.Folder, Size: left.Bytes, Age: left.Age})
		}
	}
	for page := range slices.Chunk(old, pageSize) {
		err := w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
			return w.DB.UpsertListed(ctx, tx, w.number, repo.FromFolders, store, page)
		})
		if err != nil {
			return err
		}
	}
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		if err := w.DB.DropStale(ctx, tx, w.number, repo.FromFolders); err != nil {
			return err
		}
		census, err := w.DB.CountCandidates(ctx, tx, repo.FromFolders, w.Ages, total)
		if err != nil {
			return err
		}
		reason, err := w.folderHoldReason(ctx, tx, census, int64(len(leftovers)))
		if err != nil {
			return err
		}
		return w.keepHold(ctx, tx, repo.FromFolders, store, reason, census)
	})
}

// folderHoldReason says why no folder may go, or nothing. Folders of which not one is in
// use may lie beside a database that is not theirs: one that Chroma has made anew, or that
// came from elsewhere.
func (w *run) folderHoldReason(ctx context.Context, tx repo.Tx, c repo.CandidateCount, leftovers int64) (string, error) {
	if c.Found == 0 {
		return "", nil
	}
	if barren, err := w.DB.CheckSanity(ctx, tx, repo.FromFolders, c.Total); err != nil || barren != "" {
		return barren, err
	}
	if leftovers == c.Total {
		return fmt.Sprintf("not one of the %d folders of collections in it is in use", c.Total), nil
	}
	return exceedsFraction(c, w.MaxFraction), nil
}

// removeFolders goes through the candidates, page by page, and removes what is due and
// not held.
func (w *run) removeFolders(ctx context.Context, keeper vectors.FolderKeeper) error {
	found := &w.report.Folders
	for after := ""; ; {
		var page []repo.Candidate
		err := w.inTx(ctx, func(ctx context.Context, tx repo.Tx) (err error) {
			page, err = w.DB.ListCandidates(ctx, tx, repo.FromFolders, w.Ages, after, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		var due []string
		for _, c := range page {
			after = c.FileID
			found.Found++
			found.Bytes += c.Size
			if c.DueIn <= 0 && !c.Held {
				due = append(due, c.FileID)
			}
		}
		if err := w.removePage(ctx, keeper, due); err != nil {
			return err
		}
	}
}

// removePage removes what is left behind still: the store looks again.
func (w *run) removePage(ctx context.Context, keeper vectors.FolderKeeper, due []string) error {
	if len(due) == 0 || w.removesNothing() {
		return nil
	}
	list, err := keeper.RemoveLeftovers(ctx, due, w.Ages.Min)
	for _, left := range list {
		if left.Err != nil {
			w.countFailed(left)
			continue
		}
		w.report.Folders.Removed++
		w.report.Folders.Freed += left.Bytes
	}
	w.options.progress("removing folders", w.report.Folders.Removed, 0)
	return err
}

// countFailed counts a folder that stays for want of a right, or of a sound disk.
func (w *run) countFailed(left vectors.Leftover) {
	if w.report.Folders.Failed == 0 {
		w.stuck = left
	}
	w.report.Folders.Failed++
}

// logFolders tells what came of them, once: all may fail for the same reason.
func (w *run) logFolders() {
	f := w.report.Folders
	if f.Removed > 0 {
		w.Log.Info().Int64("folders", f.Removed).Int64("bytes", f.Freed).Msg("removed folders of collections that the application dropped")
	}
	if f.Failed > 0 {
		w.Log.Warn().Int64("folders", f.Failed).Str("such_as", w.stuck.Folder).Err(w.stuck.Err).
			Msg("folders of collections that the application dropped cannot be removed")
	}
}
