package sweep

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"pruned/repo"
	"pruned/vectors"
)

// rowsTimeout bounds what one sweep removes of lost rows: a daemon's next one goes on.
const rowsTimeout = time.Minute

// Rows are those that a store of vectors keeps although nothing in it can reach them, and
// what its queue keeps of chunks that are gone. Nothing names them, as with Folders: no
// event, and no candidate either. Which they are the store sees in one transaction in
// itself, without a word of the database, so that nothing has to be seen twice or shown to a
// person first. The brake is for a store that lost the tables by which it tells: nothing is
// removed while it finds too many, and what lets go is the setting.
type Rows struct {
	Found   int64 `json:"found"`   // old enough; a chunk is one, with all that it has
	Records int64 `json:"records"` // of the queue, that hold a text or vector of a chunk that is gone
	Removed int64 `json:"removed"` // of those that were found
	Cleared int64 `json:"cleared"` // of the records
	// Waits is why what was found is still there, where that is no dry run.
	Waits string `json:"waits,omitempty"`
}

// sweepRows removes lost rows, where the store of vectors was listed and is known to be this
// installation's.
func (w *run) sweepRows(ctx context.Context, listed []*direction) error {
	keeper, keeps := w.Vectors.(vectors.RowKeeper)
	if !keeps || w.mayRest(w.searched) || !slices.ContainsFunc(listed, func(d *direction) bool { return d.Direction == repo.FromVectors }) {
		return nil
	}
	approved, err := w.isApproved(ctx, repo.StoreInfo(keeper.Info()))
	if err != nil || !approved {
		return err
	}
	w.options.progress("looking for lost rows", 0, 0)
	began := time.Now()
	done, err := w.removeRows(ctx, keeper)
	if done && !w.DryRun {
		w.searched = listing{ended: time.Now(), took: time.Since(began)}
	}
	if errors.Is(err, vectors.ErrUnusable) && ctx.Err() == nil {
		w.failed = errors.Join(w.failed, err)
		return nil
	}
	return err
}

// removeRows says whether it came to the end.
func (w *run) removeRows(ctx context.Context, keeper vectors.RowKeeper) (done bool, err error) {
	lost, err := keeper.CountLost(ctx, w.Ages.Min)
	if err != nil {
		return false, err
	}
	rows := &Rows{Found: lost.Rows, Records: lost.Records}
	w.report.Rows = rows
	rows.Waits = exceedsFraction(repo.CandidateCount{Found: lost.Rows, Total: lost.Rows + lost.Chunks}, w.MaxFraction)
	if w.removesNothing() || rows.Waits != "" || lost.Rows+lost.Records == 0 {
		return true, nil
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(w.rowsLimit, rowsTimeout))
	defer cancel()
	lost, err = keeper.RemoveLost(limited, w.Ages.Min)
	rows.Removed, rows.Cleared = lost.Rows, lost.Records
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// logRows logs what became of lost rows. That they wait is logged once.
func (s *Scheduler) logRows(r *Rows) {
	if r == nil {
		return
	}
	if r.Removed+r.Cleared > 0 {
		s.Log.Info().Int64("rows", r.Removed).Int64("records", r.Cleared).Msg("removed what no collection of the vector store has")
	}
	if last := s.State().Report.Rows; r.Waits != "" && !s.Sweeper.DryRun && (last == nil || last.Waits == "") {
		s.Log.Warn().Int64("rows", r.Found).Str("reason", r.Waits).Msg("rows that no collection of the vector store has wait for PRUNED_MAX_FRACTION")
	}
}
