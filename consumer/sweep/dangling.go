package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pruned/repo"
)

// removeBatchSize bounds the rows that one transaction removes: the application may wait
// for it.
const removeBatchSize = 500

// emptied are the tables of links that may not lose their last row: without one they look
// like tables that a migration has lost (see findLostLinks).
var emptied = []string{chatLinks, "knowledge_file"}

// Dangling are rows of the application's that nothing in it can reach. No event can name
// one, as with Folders: the sweep removes them itself, where it is to, by the same ages and
// under the same breaker. Their candidates have the table, a slash and the row's id in place
// of a file's id. Such a row is as old as it is known, since its own times say nothing about
// when its parent went.
type Dangling struct {
	Tables  []repo.DanglingCount `json:"tables"`  // those that have any
	Found   int64                `json:"found"`   // in all of them
	Kept    bool                 `json:"kept"`    // the settings keep them
	Removed int64                `json:"removed"` // of those that were found
}

// danglingListing is what was counted when the rows were last looked for.
type danglingListing struct {
	listing
	counts []repo.DanglingCount
}

// sweepDangling counts dangling rows, and removes those that are due, where it is to.
func (w *run) sweepDangling(ctx context.Context) error {
	if !w.mayRest(w.dangled.listing) {
		if err := w.findDangling(ctx); err != nil {
			return err
		}
	}
	report := &Dangling{Tables: []repo.DanglingCount{}, Kept: !w.RemovesDangling}
	for _, count := range w.dangled.counts {
		if count.Found > 0 {
			report.Tables = append(report.Tables, count)
			report.Found += count.Found
		}
	}
	w.report.Dangling = report
	if !w.RemovesDangling {
		return nil
	}
	if err := w.inTx(ctx, w.holdDangling); err != nil {
		return err
	}
	return w.removeDangling(ctx)
}

// findDangling makes candidates of dangling rows, or forgets them where they are kept.
func (w *run) findDangling(ctx context.Context) error {
	w.options.progress("looking for rows without a parent", 0, 0)
	began := time.Now()
	var counts []repo.DanglingCount
	err := w.inTx(ctx, func(ctx context.Context, tx repo.Tx) (err error) {
		counts, err = w.DB.CountDangling(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, count := range counts {
		if !w.RemovesDangling || count.Found == 0 {
			continue
		}
		if err := w.listDangling(ctx, count.Table); err != nil {
			return err
		}
	}
	err = w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		err := w.DB.DropStale(ctx, tx, w.number, repo.FromDangling)
		if err == nil && !w.RemovesDangling {
			err = w.DB.ClearHold(ctx, tx, repo.FromDangling)
		}
		return err
	})
	w.dangled = danglingListing{counts: counts}
	if err == nil && !w.DryRun {
		w.dangled.listing = listing{ended: time.Now(), took: time.Since(began)}
	}
	return err
}

// listDangling makes candidates of the dangling rows of a table, page by page.
func (w *run) listDangling(ctx context.Context, table string) error {
	for after := ""; ; {
		var listed []repo.Listed
		err := w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
			ids, err := w.DB.ListDangling(ctx, tx, table, after, pageSize)
			if err != nil || len(ids) == 0 {
				return err
			}
			after = ids[len(ids)-1]
			for _, id := range ids {
				listed = append(listed, repo.Listed{FileID: table + "/" + id})
			}
			return w.DB.UpsertListed(ctx, tx, w.number, repo.FromDangling, w.rowDirection().store.Name, listed)
		})
		if err != nil || len(listed) < pageSize {
			return err
		}
	}
}

// holdDangling holds all of them where those of one table are too many.
func (w *run) holdDangling(ctx context.Context, tx repo.Tx) error {
	var total int64
	for _, count := range w.dangled.counts {
		total += count.Total
	}
	census, err := w.DB.CountCandidates(ctx, tx, repo.FromDangling, w.Ages, total)
	if err != nil {
		return err
	}
	reason := ""
	if census.Found > 0 {
		reason = danglingHoldReason(w.dangled.counts, w.MaxFraction)
	}
	return w.keepHold(ctx, tx, repo.FromDangling, w.rowDirection().store.Name, reason, census)
}

// danglingHoldReason says why no dangling row may go, or nothing: a table that lost its
// parents is what a restore leaves that is not complete.
func danglingHoldReason(counts []repo.DanglingCount, most float64) string {
	for _, c := range counts {
		if c.Found > 0 && c.Found == c.Total && slices.Contains(emptied, c.Table) {
			return fmt.Sprintf("not one of the %d rows of table %s has what it links", c.Total, c.Table)
		}
		if why := exceedsFraction(repo.CandidateCount{Found: c.Found, Total: c.Total}, most); why != "" {
			return "of table " + c.Table + " " + why
		}
	}
	return ""
}

// removeDangling removes what is due and not held, table by table.
func (w *run) removeDangling(ctx context.Context) error {
	removed := map[string]int64{}
	defer func() {
		for table, n := range removed {
			w.Log.Info().Str("table", table).Int64("rows", n).Msg("removed rows that nothing in Open WebUI can reach")
		}
	}()
	for after := ""; ; {
		var page []repo.Candidate
		err := w.inTx(ctx, func(ctx context.Context, tx repo.Tx) (err error) {
			page, err = w.DB.ListCandidates(ctx, tx, repo.FromDangling, w.Ages, after, removeBatchSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		due := map[string][]string{}
		for _, c := range page {
			after = c.FileID
			if table, id, _ := strings.Cut(c.FileID, "/"); c.DueIn <= 0 && !c.Held && !w.removesNothing() {
				due[table] = append(due[table], id)
			}
		}
		for table, ids := range due {
			n, err := w.removeRowsOf(ctx, table, ids)
			if err != nil {
				return err
			}
			if n > 0 {
				removed[table] += n
			}
			w.report.Dangling.Removed += n
			w.options.progress("removing rows without a parent", w.report.Dangling.Removed, 0)
		}
	}
}

// removeRowsOf removes rows of one table in a transaction, and forgets them: what has its
// parent again, or is kept by a trigger, is found anew.
func (w *run) removeRowsOf(ctx context.Context, table string, ids []string) (n int64, err error) {
	candidates := make([]string, len(ids))
	for i, id := range ids {
		candidates[i] = table + "/" + id
	}
	err = w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		if n, err = w.DB.RemoveDangling(ctx, tx, table, ids); err != nil {
			return err
		}
		return w.DB.SetGrace(ctx, tx, repo.FromDangling, nil, candidates)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
