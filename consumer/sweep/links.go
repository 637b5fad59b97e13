package sweep

import (
	"context"
	"fmt"
	"strings"

	"pruned/repo"
	"pruned/vectors"
)

const (
	// lostFraction: of a knowledge base's files as many may lack their link without being
	// a sign that links were lost, as may repo.FewLinks.
	lostFraction = 10
	// linkBatchSize bounds what a store is asked about at once: it may be a scan.
	linkBatchSize = 10000
	// linksLost begins the reason of a hold that only a person ends: links that come
	// after a loss say nothing about those that were lost.
	linksLost = "links were lost: "
	// chatLinksLost is so also where nobody ever attached a file but by other programs:
	// whoever confirms it once is believed.
	chatLinks     = "chat_file"
	chatLinksLost = linksLost + "table " + chatLinks + " is empty, and there are chats with files"
)

// findLostLinks says why it is not believed that nothing links to the files that were
// found, or nothing: a migration, or a restore, may have left out a table of links.
func (w *run) findLostLinks(ctx context.Context, tx repo.Tx) (string, error) {
	if why, err := w.findEarlierLoss(ctx, repo.FromRows); err != nil || why != "" {
		return why, err
	}
	empty, err := w.DB.EmptyLinks(ctx, tx)
	if err != nil {
		return "", err
	}
	var noKnowledge bool
	for _, table := range empty {
		if table == chatLinks {
			accepted, _, err := w.DB.StoreApproval(ctx, tx, w.rowDirection().store.Name)
			if err != nil || accepted != chatLinks {
				return chatLinksLost, err
			}
		}
		noKnowledge = noKnowledge || table == "knowledge_file"
	}
	return w.findLostKnowledge(ctx, tx, noKnowledge)
}

// findEarlierLoss is the reason for which a direction is held already, if that is this one
// and nobody has confirmed it.
func (w *run) findEarlierLoss(ctx context.Context, d repo.Direction) (string, error) {
	holds, err := w.DB.ListHolds(ctx)
	for _, h := range holds {
		if h.Direction == d && strings.HasPrefix(h.Reason, linksLost) && !w.confirms(h) {
			return h.Reason, nil
		}
	}
	return "", err
}

// findLostKnowledge compares links with what the collections of knowledge bases hold. All
// of the files that were found lack a link: nothing mentions them.
func (w *run) findLostKnowledge(ctx context.Context, tx repo.Tx, none bool) (string, error) {
	unlinked := map[string]int64{}
	var unanswered error // by the store, which holds the files
	err := w.forEachOldRow(ctx, tx, func(ids []string) error {
		holdings, err := w.Vectors.Holdings(ctx, ids)
		unanswered = err
		for _, h := range holdings {
			if vectors.IsShared(h.Collection) {
				unlinked[h.Collection]++
			}
		}
		return err
	})
	switch {
	case unanswered != nil && ctx.Err() == nil:
		return "nobody can say which knowledge bases hold these files: " + unanswered.Error(), nil
	case err != nil:
		return "", err
	}
	return w.compareLinks(ctx, tx, unlinked, none)
}

// compareLinks says of which knowledge base so many files lack their link that links were
// lost.
func (w *run) compareLinks(ctx context.Context, tx repo.Tx, unlinked map[string]int64, none bool) (string, error) {
	names := make([]string, 0, len(unlinked))
	for name := range unlinked {
		names = append(names, name)
	}
	if len(names) == 0 {
		return "", nil
	}
	linked, err := w.DB.LinkedFiles(ctx, tx, names)
	if err != nil {
		return "", err
	}
	for name, links := range linked {
		n := unlinked[name]
		if none || n > repo.FewLinks && lostFraction*n > n+links {
			return fmt.Sprintf("%sthe collection of knowledge base %s holds %d files that table knowledge_file does not know, beside %d that it does", linksLost, name, n, links), nil
		}
	}
	return "", nil
}

// forEachOldRow calls fn with the ids of the rows that were found and are old enough to have
// been linked, but for those that somebody let go.
func (w *run) forEachOldRow(ctx context.Context, tx repo.Tx, fn func(ids []string) error) error {
	var ids []string
	for after := ""; ; {
		page, err := w.DB.ListCandidates(ctx, tx, repo.FromRows, w.Ages, after, linkBatchSize)
		if err != nil {
			return err
		}
		for _, c := range page {
			after = c.FileID
			if !c.Confirmed && c.Age >= w.Ages.Min {
				ids = append(ids, c.FileID)
			}
		}
		for len(ids) >= linkBatchSize || len(ids) > 0 && len(page) == 0 {
			some := ids[:min(len(ids), linkBatchSize)]
			if err := fn(some); err != nil {
				return err
			}
			ids = ids[len(some):]
		}
		if len(page) == 0 {
			return nil
		}
	}
}
