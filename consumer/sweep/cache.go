package sweep

import (
	"context"
	"time"

	"pruned/repo"
)

// CacheReport is what a sweep removed of the application's cache, or, in a dry run, would
// have.
type CacheReport struct {
	repo.CacheFiles
	// Waits is why the files that were counted are still there, where that is no dry run.
	Waits string `json:"waits,omitempty"`
}

// sweepCache removes what is old in the application's cache. No row names what is in it,
// so that there is nothing to ask the database but whose it is.
func (w *run) sweepCache(ctx context.Context) error {
	if w.Cache == nil || w.CacheAge <= 0 || w.mayRest(w.cached) {
		return nil
	}
	w.options.progress("reading the cache", 0, 0)
	began := time.Now()
	report := CacheReport{Waits: w.whyCacheWaits(ctx)}
	act := w.Cache.RemoveOld
	if w.DryRun || report.Waits != "" {
		act = w.Cache.CountOld
	}
	var err error
	report.CacheFiles, err = act(ctx, w.CacheAge)
	w.report.Cache = &report
	if !w.DryRun {
		w.cached = listing{ended: time.Now(), took: time.Since(began)}
	}
	return err
}

// whyCacheWaits is why nothing of the cache may be removed, a sentence. A dry run binds
// the upload folder without marking it.
func (w *run) whyCacheWaits(ctx context.Context) string {
	if w.isPaused() {
		return "the work is paused: `pruned resume` lets it go on"
	}
	uploads := w.Blobs.Info()
	if w.DryRun && uploads.Folder != "" && w.confirmed[uploads.Name] {
		return ""
	}
	return WhyCacheWaits(ctx, w.DB, w.tx, uploads)
}

// WhyCacheWaits is why nothing of the application's cache may be removed, a sentence, or
// empty. What is in a cache does not show whose it is: it lies beside the upload folder,
// whose mark does.
func WhyCacheWaits(ctx context.Context, db repo.Engine, tx repo.Tx, uploads repo.StoreInfo) string {
	if uploads.Folder == "" {
		return "there is no upload folder beside it that would show whose it is"
	}
	switch approved, err := repo.IsApproved(ctx, db, tx, uploads); {
	case err != nil:
		return err.Error()
	case !approved:
		return "it is not known whether the upload folder beside it is this installation's"
	}
	return ""
}

// logCache logs what became of the cache. A failure that stays is logged once.
func (s *Scheduler) logCache(r *CacheReport) {
	if r == nil {
		return
	}
	if r.Files > 0 && r.Waits == "" && !s.Sweeper.DryRun {
		s.Log.Info().Int64("files", r.Files).Int64("bytes", r.Bytes).Msg("removed old files of Open WebUI's cache")
	}
	if last := s.State().Report.Cache; r.Failed > 0 && (last == nil || last.Failure != r.Failure) {
		s.Log.Warn().Int64("failed", r.Failed).Str("first", r.Failure).Msg("some of Open WebUI's cache cannot be removed")
	}
}
