package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"pruned/consumer"
	"pruned/repo"
)

// dead are events that can never succeed, the newest of them.
type dead struct {
	Total   int
	Letters []letterLine
}

// letterLine is a dead letter with what people know its file by.
type letterLine struct {
	consumer.DeadLetter
	Label repo.FileLabel
	Owner string
}

// maxLetters is how many are shown.
const maxLetters = 200

func readDead(ctx context.Context, _ *Page, open *Open, _ *http.Request) (any, error) {
	d := &dead{}
	for letter, err := range open.Queue.DeadLetters(ctx) {
		if err != nil {
			return nil, err
		}
		d.Total++
		if d.Letters = append(d.Letters, letterLine{DeadLetter: letter}); len(d.Letters) >= 2*maxLetters {
			d.Letters = slices.Clone(d.Letters[maxLetters:])
		}
	}
	d.Letters = d.Letters[max(len(d.Letters)-maxLetters, 0):]
	slices.Reverse(d.Letters)
	return d, d.addLabels(ctx, open)
}

func (d *dead) addLabels(ctx context.Context, open *Open) error {
	var ids []string
	for _, l := range d.Letters {
		ids = append(ids, l.FileID)
	}
	labels, names, err := readLabels(ctx, open, ids)
	for i := range d.Letters {
		l := &d.Letters[i]
		l.Label = labels[l.FileID]
		l.Owner = names[l.Label.Owner]
	}
	return err
}

func readLetter(ctx context.Context, _ *Page, open *Open, r *http.Request) (any, error) {
	letter, err := open.Queue.DeadLetter(ctx, r.URL.Query().Get("name"))
	if errors.Is(err, consumer.ErrNoDeadLetter) {
		err = requestError{err}
	}
	return &letter, err
}

// redriveLetters publishes dead letters again, as the command does.
func redriveLetters(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	names := r.PostForm["name"]
	if len(names) == 0 {
		return "", requestError{errors.New("nothing was ticked: wanted one dead letter at least")}
	}
	n, err := open.Queue.Redrive(ctx, names...)
	text := fmt.Sprintf("%d of %d dead letters published again", n, len(names))
	if err != nil {
		err = fmt.Errorf("%s: %w", text, err)
	}
	return text + ".", errors.Join(err, record(ctx, open, r, "redriven", "", text))
}

// purgeLetters forgets all dead letters, as the command does.
func purgeLetters(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	if strings.TrimSpace(r.PostForm.Get("typed")) != "purge" {
		return "", requestError{errNotTyped}
	}
	n, err := open.Queue.PurgeDeadLetters(ctx)
	if err != nil {
		return "", err
	}
	text := commaOf(n) + " dead letters forgotten"
	return text + ".", record(ctx, open, r, "purged", "", text)
}
