package page

import (
	"context"
	"net/http"
	"time"

	"pruned/repo"
)

// held is what sweeps hold back, by the id that lets it go.
type held struct{ Holds []heldGroup }

// heldGroup are the directions that one confirmation lets go.
type heldGroup struct {
	ID       string
	Holds    []heldDirection
	Unlisted int64 // what is let go with the rest, and not listed here
}

// heldDirection is one of them: how much of it would be let go, and the largest of that.
type heldDirection struct {
	repo.Hold
	Meant int64
	Lines []repo.Unused
}

// Link leads to all that was found.
func (h heldDirection) Link() string { return "/unused?direction=" + string(h.Direction) }

// Listed is how many of it the view lists.
func (h heldDirection) Listed() int64 { return int64(len(h.Lines)) }

// Shown says when what the view shows was held, for the form.
func (h heldDirection) Shown() string {
	return string(h.Direction) + " " + h.ShownAt.UTC().Format(time.RFC3339Nano)
}

func readHeld(ctx context.Context, _ *Page, open *Open, _ *http.Request) (any, error) {
	list, err := open.DB.ListHolds(ctx)
	if err != nil {
		return nil, err
	}
	h := &held{}
	at := map[string]int{}
	for _, hold := range list {
		i, known := at[hold.ID]
		if !known {
			i = len(h.Holds)
			at[hold.ID] = i
			h.Holds = append(h.Holds, heldGroup{ID: hold.ID})
		}
		if err := h.Holds[i].add(ctx, open, hold); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// add reads what a hold is about.
func (g *heldGroup) add(ctx context.Context, open *Open, hold repo.Hold) (err error) {
	d := heldDirection{Hold: hold}
	d.Lines, d.Meant, err = open.DB.ListUnused(ctx, open.Ages, repo.UnusedFilter{Direction: hold.Direction, Held: true, Limit: pageLength})
	g.Holds = append(g.Holds, d)
	g.Unlisted += d.Meant - int64(len(d.Lines))
	return err
}
