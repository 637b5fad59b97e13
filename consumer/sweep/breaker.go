package sweep

import (
	"context"
	"fmt"

	"pruned/repo"
)

// few orphans are never too many, whatever the fraction.
const few = 10

// brake says whether a direction is held, by what was found in it, and keeps or
// forgets the hold. What was confirmed is not counted: it goes in any case.
func (w *sweep) brake(ctx context.Context, d *direction) error {
	return w.in(ctx, func(ctx context.Context, tx repo.Tx) error {
		census, err := w.DB.Census(ctx, tx, d.Direction, w.Ages, d.there)
		if err != nil {
			return err
		}
		if d.Direction == repo.FromRows {
			w.report.Files, w.report.Totals.Files = census.There, census.There
		}
		owner, err := w.owner(ctx, tx, d, &census)
		if err != nil {
			return err
		}
		reason, err := w.why(ctx, tx, d, census, owner)
		if err != nil {
			return err
		}
		if reason == "" {
			return w.DB.Release(ctx, tx, d.Direction)
		}
		hold, err := w.DB.Hold(ctx, tx, repo.Hold{
			ID: w.report.ID, Direction: d.Direction, Store: d.store.Name,
			Reason: reason, Found: census.Found, There: census.There,
		})
		if err != nil {
			return err
		}
		if len(w.report.Holds) == 0 {
			w.report.ID = hold.ID
		}
		w.report.Holds = append(w.report.Holds, hold)
		w.report.Held += census.Found
		return nil
	})
}

// owner says whether a store is this installation's. What waits in tombstones for that
// to be said is found too: without it there might never be anything to confirm.
func (w *sweep) owner(ctx context.Context, tx repo.Tx, d *direction, c *repo.Census) (ownership, error) {
	if d.Direction == repo.FromRows {
		return ownership{bound: true}, nil
	}
	o, err := w.judgeOwner(ctx, tx, d)
	if err != nil || o.bound {
		return o, err
	}
	kind := repo.Vectors
	if d.Direction == repo.FromBytes {
		kind = repo.Bytes
	}
	waiting, err := w.DB.Backlog(ctx, kind)
	c.Found += waiting.Count
	return o, err
}

// why says why nothing of what was found may go, or nothing.
func (w *sweep) why(ctx context.Context, tx repo.Tx, d *direction, c repo.Census, owner ownership) (string, error) {
	if c.Found == 0 {
		return "", nil
	}
	barren, err := w.DB.Barren(ctx, tx, d.Direction, d.there)
	if err != nil || barren != "" {
		return barren, err
	}
	switch {
	case owner.why != "":
		return owner.why, nil
	case d.there > 0 && d.known == 0:
		return fmt.Sprintf("not one of the %d files in it belongs to a row of this database", d.there), nil
	case d.Direction == repo.FromRows:
		if lost, err := w.lostLinks(ctx, tx); err != nil || lost != "" {
			return lost, err
		}
	}
	return tooMany(c, w.MaxFraction), nil
}

// tooMany says by how much more would go than a fraction of what is there.
func tooMany(c repo.Census, most float64) string {
	if most >= 1 || c.Found <= few || float64(c.Found) <= most*float64(c.There) {
		return ""
	}
	return fmt.Sprintf("%d of %d would go, which is more than the fraction %g", c.Found, c.There, most)
}
