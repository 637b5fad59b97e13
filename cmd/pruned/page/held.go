package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// held is what sweeps hold back, by the id that lets it go.
type held struct{ Holds []heldGroup }

// heldGroup are the directions that one confirmation lets go.
type heldGroup struct {
	ID    string
	Holds []repo.Hold
	Found int64
}

// Links lead to what was found.
func (heldGroup) Link(h repo.Hold) string { return "/unused?direction=" + string(h.Direction) }

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
		h.Holds[i].Holds = append(h.Holds[i].Holds, hold)
		h.Holds[i].Found += hold.Found
	}
	return h, nil
}

// sweepWait is how long a confirmation waits for a sweep under way.
const sweepWait = 20 * time.Second

var errNotTyped = errors.New("what was typed is not what was asked for: nothing was done")

// confirmHold lets go what a sweep held, as the command does: by a sweep.
func confirmHold(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	id := r.PostForm.Get("id")
	if strings.TrimSpace(r.PostForm.Get("typed")) != id || id == "" {
		return "", requestError{errNotTyped}
	}
	report, err := open.Sweeps.Sweeper.Sweep(ctx, sweep.Options{Confirm: id, Wait: sweepWait})
	if errors.Is(err, repo.ErrNoHold) {
		return "", requestError{fmt.Errorf("%w: it was confirmed already, or what was held is no more", err)}
	}
	if report.LetGo != nil && err == nil {
		err = record(ctx, open, r, "confirmed", id, "let go what the sweep held")
	}
	if err != nil {
		return "", err
	}
	open.Sweeps.Request() // which tells what is held now
	switch letGo := report.LetGo; {
	case letGo == nil || letGo.Files == 0:
		return "Confirmed; nothing of it is left to go in the queue: it is used by now, or gone.", nil
	case letGo.FirstIn <= 0:
		return commaOf(letGo.Files) + " files go now.", nil
	default:
		return fmt.Sprintf("%s files go when they are due, the first in %s.", commaOf(letGo.Files), span(time.Duration(letGo.FirstIn)*time.Second)), nil
	}
}
