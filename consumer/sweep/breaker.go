package sweep

import (
	"context"
	"fmt"

	"pruned/repo"
)

// alwaysAllowed orphans are never too many, whatever the fraction.
const alwaysAllowed = 10

// checkBreaker says whether a direction is held, by what was found in it, and keeps or
// forgets the hold. What was confirmed is not counted: it goes in any case.
func (w *run) checkBreaker(ctx context.Context, d *direction) error {
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		census, err := w.DB.CountCandidates(ctx, tx, d.Direction, w.Ages, d.there)
		if err != nil {
			return err
		}
		if d.Direction == repo.FromRows {
			w.report.Files, w.report.Totals.Files = census.Total, census.Total
		}
		owner, err := w.checkOwner(ctx, tx, d, &census)
		if err != nil {
			return err
		}
		reason, err := w.holdReason(ctx, tx, d, census, owner)
		if err != nil {
			return err
		}
		return w.keepHold(ctx, tx, d.Direction, d.store.Name, reason, census)
	})
}

// keepHold keeps a hold and tells of it, or forgets it where there is no reason for one.
func (w *run) keepHold(ctx context.Context, tx repo.Tx, d repo.Direction, store, reason string, c repo.CandidateCount) error {
	if reason == "" {
		left, err := w.DB.CountUnconfirmed(ctx, tx, d)
		if err != nil {
			return err
		}
		if left == 0 {
			return w.DB.ClearHold(ctx, tx, d)
		}
		reason, c.Found = partlyConfirmed, left
	}
	hold, err := w.DB.SetHold(ctx, tx, repo.Hold{ID: w.report.ID, Direction: d, Store: store, Reason: reason, Found: c.Found, Total: c.Total})
	if err != nil {
		return err
	}
	if len(w.report.Holds) == 0 {
		w.report.ID = hold.ID
	}
	w.report.Holds = append(w.report.Holds, hold)
	w.report.Held += c.Found
	return nil
}

// checkOwner says whether a store is this installation's. What waits in tombstones for that
// to be said is found too: without it there might never be anything to confirm.
func (w *run) checkOwner(ctx context.Context, tx repo.Tx, d *direction, c *repo.CandidateCount) (ownership, error) {
	switch {
	case d.Direction == repo.FromRows:
		return ownership{approved: true}, nil
	case d.IsLeftover():
		approved, err := w.isApproved(ctx, d.store)
		if err != nil || approved {
			return ownership{approved: approved}, err
		}
		return ownership{why: "it is not known yet whether " + d.store.Name + " is this installation's"}, nil
	}
	o, err := w.determineOwner(ctx, tx, d)
	if err != nil || o.approved {
		return o, err
	}
	kind := repo.Vectors
	if d.Direction == repo.FromBytes {
		kind = repo.Bytes
	}
	waiting, err := w.DB.Backlog(ctx, repo.KindsIn(kind)...)
	c.Found += waiting.Count
	return o, err
}

// holdReason says why nothing of what was found may go, or nothing.
func (w *run) holdReason(ctx context.Context, tx repo.Tx, d *direction, c repo.CandidateCount, owner ownership) (string, error) {
	if c.Found == 0 {
		return "", nil
	}
	barren, err := w.DB.CheckSanity(ctx, tx, d.Direction, d.there)
	if err != nil || barren != "" {
		return barren, err
	}
	switch {
	case owner.why != "":
		return owner.why, nil
	case d.there > 0 && d.known == 0 && !d.IsLeftover():
		return fmt.Sprintf("not one of the %d files in it belongs to a row of this database", d.there), nil
	case d.Direction == repo.FromRows:
		if lost, err := w.findLostLinks(ctx, tx); err != nil || lost != "" {
			return lost, err
		}
	case d.Direction == repo.FromPoints:
		if lost, err := w.findLostHeld(ctx, tx); err != nil || lost != "" {
			return lost, err
		}
	}
	return exceedsFraction(c, w.MaxFraction), nil
}

// exceedsFraction says by how much more would go than a fraction of what is there.
func exceedsFraction(c repo.CandidateCount, most float64) string {
	if most >= 1 || c.Found <= alwaysAllowed || float64(c.Found) <= most*float64(c.Total) {
		return ""
	}
	return fmt.Sprintf("%d of %d would go, which is more than the fraction %g", c.Found, c.Total, most)
}
