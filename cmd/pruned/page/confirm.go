package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// sweepWait is how long a confirmation waits for a sweep under way.
const sweepWait = 20 * time.Second

var errNotTyped = errors.New("what was typed is not what was asked for: nothing was done")

// partOf is which part of what is held a form lets go: the directions that are ticked, but
// for what was listed in them without being ticked, and nothing that was found since.
func partOf(form url.Values) (p sweep.Part, err error) {
	p.Shown = map[repo.Direction]time.Time{}
	for _, d := range form["direction"] {
		p.Only = append(p.Only, repo.Direction(d))
	}
	for _, text := range form["shown"] {
		d, at, _ := strings.Cut(text, " ")
		shown, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			return p, fmt.Errorf("shown: %q is no time: wanted the form as the view has it", at)
		}
		if slices.Contains(p.Only, repo.Direction(d)) {
			p.Shown[repo.Direction(d)] = shown
		}
	}
	if len(p.Only) == 0 || len(p.Shown) < len(p.Only) {
		return p, errors.New("nothing was ticked: wanted one direction at least")
	}
	for _, text := range form["listed"] {
		d, id, _ := strings.Cut(text, " ")
		if slices.Contains(p.Only, repo.Direction(d)) && !slices.Contains(form["go"], text) && !slices.Contains(p.Except, id) {
			p.Except = append(p.Except, id)
		}
	}
	return p, nil
}

// confirmHold lets go what a sweep held, as the command does: by a sweep.
func confirmHold(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	id := r.PostForm.Get("id")
	if strings.TrimSpace(r.PostForm.Get("typed")) != id || id == "" {
		return "", requestError{errNotTyped}
	}
	part, err := partOf(r.PostForm)
	if err != nil {
		return "", requestError{err}
	}
	report, err := open.Sweeps.Sweeper.Sweep(ctx, sweep.Options{Confirm: id, Part: part, Wait: sweepWait})
	switch {
	case errors.Is(err, repo.ErrNoHold):
		err = requestError{fmt.Errorf("%w: it was confirmed already, or what was held is no more", err)}
	case errors.Is(err, sweep.ErrNothingConfirmed):
		err = requestError{fmt.Errorf("%w: it has changed since it was shown; look at it again", err)}
	case err == nil && report.LetGo != nil:
		err = record(ctx, open, r, "confirmed", id, describePart(part))
	}
	if err != nil {
		return "", err
	}
	open.Sweeps.Request() // which tells what is held now
	return describeLetGo(report), nil
}

// describePart tells the ledger what was let go.
func describePart(p sweep.Part) string {
	words := make([]string, len(p.Only))
	for i, d := range p.Only {
		words[i] = sweep.DescribeFound(d)
	}
	text := "let go what the sweep held of " + strings.Join(words, ", ")
	if len(p.Except) > 0 {
		text += ", except " + strings.Join(p.Except, ", ")
	}
	return text
}

func describeLetGo(report sweep.Report) string {
	switch letGo := report.LetGo; {
	case letGo == nil || letGo.Files == 0:
		return "Confirmed; nothing of it is left to go in the queue: it is used by now, or gone."
	case letGo.FirstIn <= 0:
		return sweep.FormatCount(letGo.Files, "files go now.")
	default:
		return sweep.FormatCount(letGo.Files, "files go when they are due, the first in ") + span(time.Duration(letGo.FirstIn)*time.Second) + "."
	}
}
