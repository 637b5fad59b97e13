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

// kept is what somebody keeps, newest first, and a page of it.
type kept struct {
	Total int64
	Lines []keptLine
	Pager pager
}

// keptLine is a keep with what people know the file by.
type keptLine struct {
	repo.Keep
	Label repo.FileLabel
	Owner string
	Gone  bool // the file has no row any more
}

// keepChoice asks for how long, and why; IDs is what the command is given.
type keepChoice struct{ Do, IDs string }

// Spans are for how long a file can be kept; empty: for ever.
func (keepChoice) Spans() []string { return []string{"", "720h", "2160h", "8760h"} }

func readKept(ctx context.Context, _ *Page, open *Open, r *http.Request) (any, error) {
	keeps, err := open.DB.ListKeeps(ctx, nil)
	if err != nil {
		return nil, err
	}
	total, page := len(keeps), pageOf(r.URL.Query())
	k := &kept{Total: int64(total), Pager: newPager("/kept", r.URL.Query(), page, int64(total))}
	for i := total - 1 - (page-1)*pageLength; i >= 0 && len(k.Lines) < pageLength; i-- {
		k.Lines = append(k.Lines, keptLine{Keep: keeps[i]})
	}
	return k, k.addLabels(ctx, open)
}

func (k *kept) addLabels(ctx context.Context, open *Open) error {
	var ids []string
	for _, line := range k.Lines {
		ids = append(ids, line.FileID)
	}
	labels, names, err := readLabels(ctx, open, ids)
	for i := range k.Lines {
		line := &k.Lines[i]
		label, there := labels[line.FileID]
		line.Label, line.Owner, line.Gone = label, names[label.Owner], !there
	}
	return err
}

// keepsOf are the keeps of these files, by their ids.
func keepsOf(ctx context.Context, open *Open, ids []string) (map[string]repo.Keep, error) {
	keeps := map[string]repo.Keep{}
	if len(ids) == 0 {
		return keeps, nil
	}
	list, err := open.DB.ListKeeps(ctx, ids)
	for _, k := range list {
		keeps[k.FileID] = k
	}
	return keeps, err
}

// keepFiles keeps files, as the command does: one after the other, and it says which were
// refused. What was done is in the ledger even where the rest failed.
func keepFiles(ctx context.Context, p *Page, open *Open, r *http.Request) (string, error) {
	ids, how, lasts := r.PostForm["id"], "for ever", time.Duration(0)
	if len(ids) == 0 {
		return "", requestError{errNothingTicked}
	}
	if text := r.PostForm.Get("for"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil || lasts <= 0 {
			return "", requestError{fmt.Errorf("for: %q is no duration: wanted one such as 720h", text)}
		}
		how = "for " + span(lasts)
	}
	var done, refused []string
	var failed error
	for _, id := range ids {
		why, err := p.Commands.Keep(ctx, id, lasts, strings.TrimSpace(r.PostForm.Get("note")))
		if err != nil {
			failed = err
			break
		}
		if why != "" {
			refused = append(refused, id+": "+why)
		} else {
			done = append(done, id)
		}
	}
	text := sweep.FormatCount(int64(len(done)), "files kept ") + how + "."
	if len(refused) > 0 {
		text += describeRefused(len(refused), refused)
	}
	if len(done) > 0 {
		failed = errors.Join(failed, record(ctx, open, r, "keep", "", "kept "+how+": "+strings.Join(done, ", ")))
	}
	return text, failed
}

// endKeeps ends keeps, as the command does.
func endKeeps(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	ids := r.PostForm["id"]
	if len(ids) == 0 {
		return "", requestError{errNothingTicked}
	}
	var done []string
	var failed error
	for _, id := range ids {
		was, err := open.DB.RemoveKeep(ctx, id)
		if err != nil {
			failed = err
			break
		}
		if was {
			done = append(done, id)
		}
	}
	if len(done) > 0 {
		failed = errors.Join(failed, record(ctx, open, r, "keep ended", "", "kept no more: "+strings.Join(done, ", ")))
	}
	return sweep.FormatCount(int64(len(done)), "files are kept no more."), failed
}
