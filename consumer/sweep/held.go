package sweep

import (
	"context"
	"maps"
	"slices"
	"strings"

	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/vectors"
)

// noteUnlinked notes the knowledge bases that hold a file of a page which they do not link. A
// failure notes all of them: whoever lists what they hold meets it again, and tells it, when
// files have been published.
func (w *run) noteUnlinked(ctx context.Context, page []repo.Listed, count *tally) {
	var pairs []string
	for _, item := range page {
		if vectors.IsKnowledge(item.Shared) && !count.unlinked[item.Shared] {
			pairs = append(pairs, item.Shared+"/"+item.FileID)
		}
	}
	if len(pairs) == 0 {
		return
	}
	missing := pairs
	_ = w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		found, err := w.DB.FindMissingRows(ctx, tx, repo.KnowledgeLinks, pairs)
		if err == nil {
			missing = found
		}
		return err
	})
	for _, pair := range missing {
		if count.unlinked == nil {
			count.unlinked = map[string]bool{}
		}
		knowledge, _, _ := strings.Cut(pair, "/")
		count.unlinked[knowledge] = true
	}
}

// findLostHeld says why it is not believed that the files which knowledge bases hold without
// a link were taken out of them, or nothing. Those count that nobody let
// go, and whose age lets a sweep publish them.
func (w *run) findLostHeld(ctx context.Context, tx repo.Tx) (string, error) {
	if why, err := w.findEarlierLoss(ctx, repo.FromPoints); err != nil || why != "" {
		return why, err
	}
	unlinked := map[string]int64{}
	for after := ""; ; {
		page, err := w.DB.ListCandidates(ctx, tx, repo.FromPoints, w.Ages, after, pageSize)
		if err != nil {
			return "", err
		}
		if len(page) == 0 {
			return w.compareLinks(ctx, tx, unlinked, false)
		}
		for _, c := range page {
			after = c.FileID
			l, _ := leftover.Parse(c.FileID, repo.FromPoints)
			if _, is := l.HeldFile(); is && !c.Confirmed && c.Age >= w.Ages.Min {
				unlinked[l.Collection]++
			}
		}
	}
}

// leaveToFiles finds nothing of what goes with its file, which nothing uses.
func (w *run) leaveToFiles(ctx context.Context, tx repo.Tx, list []leftover.Leftover, free map[string]bool) error {
	holding := map[string][]string{}
	for _, l := range list {
		if file, is := l.HeldFile(); is && free[l.Name()] {
			holding[file] = append(holding[file], l.Name())
		}
	}
	if len(holding) == 0 {
		return nil
	}
	going, err := w.DB.ReadGrace(ctx, tx, repo.FromRows, slices.Collect(maps.Keys(holding)))
	for file := range going {
		for _, name := range holding[file] {
			free[name] = false
		}
	}
	return err
}
