package sweep

import (
	"context"
	"slices"
	"time"

	"pruned/repo"
)

// Confirmation is one that was given before.
type Confirmation struct {
	At      time.Time `json:"at"`
	Left    int64     `json:"left"`           // of what it let go, as of the last sweep
	FirstIn int64     `json:"first_due_in_s"` // zero when the first is due, or nothing is left
}

// confirmHold lets go what a held sweep found, and binds the stores that it was found in,
// whatever signs there are now: they were shown.
func (w *run) confirmHold(ctx context.Context, tx repo.Tx) error {
	held, err := w.DB.ConfirmHold(ctx, tx, w.options.Confirm, w.options.Part.Only)
	if err != nil {
		return err
	}
	return w.approveConfirmed(ctx, tx, held)
}

func (w *run) approveConfirmed(ctx context.Context, tx repo.Tx, held []repo.Hold) error {
	for _, h := range held {
		if h.Reason == chatLinksLost {
			if err := w.DB.ApproveStore(ctx, tx, h.Store, chatLinks); err != nil {
				return err
			}
		}
		for _, d := range w.storeDirections() {
			if h.Store != d.store.Name || h.Direction != d.Direction && d.Direction != repo.FromVectors {
				continue // the store of vectors may be held for its collections alone
			}
			signs, err := w.findNeighbours(ctx, tx, d.store)
			if err == nil {
				err = w.approveStore(ctx, tx, d.store, signs)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// confirmedHolds are the holds that are to be confirmed, in whole or in part.
func (w *run) confirmedHolds(ctx context.Context) ([]repo.Hold, error) {
	holds, err := w.DB.ListHolds(ctx)
	return slices.DeleteFunc(holds, func(h repo.Hold) bool { return !w.confirms(h) }), err
}

// confirms says whether a hold is to be confirmed, in whole or in part.
func (w *run) confirms(h repo.Hold) bool {
	return h.ID == w.options.Confirm && (len(w.options.Part.Only) == 0 || slices.Contains(w.options.Part.Only, h.Direction))
}

// findEarlier says whether the id is that of a sweep that was confirmed and is held no
// more; nil otherwise.
func (w *run) findEarlier(ctx context.Context) (*Confirmation, error) {
	holds, err := w.confirmedHolds(ctx)
	if err != nil || len(holds) > 0 {
		return nil, err
	}
	at, found, err := w.DB.FindConfirmation(ctx, w.options.Confirm)
	if err != nil || !found {
		return nil, err
	}
	earlier, left := &Confirmation{At: at}, distinct{}
	for _, d := range Directions {
		err := w.eachPage(ctx, d, func(page []repo.Candidate) error {
			for _, c := range page {
				gone := c.DueIn <= 0 && (d == repo.FromFolders || d == repo.FromDangling) // by the sweep itself
				if c.Confirmed && c.ConfirmedBy == w.options.Confirm && !gone {
					earlier.add(c, &left)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return earlier, nil
}

func (c *Confirmation) add(left repo.Candidate, files *distinct) {
	if in := wholeSeconds(left.DueIn); c.Left == 0 || in < c.FirstIn {
		c.FirstIn = in
	}
	files.addText(left.FileID)
	c.Left = files.estimate()
}
