package page

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"pruned/repo"
)

// file is everything known about one file.
type file struct {
	ID      string // empty: none was asked for
	Found   Explanation
	Facts   []linkedFact
	Unused  bool          // so that it can be shown how it begins
	Trashed *repo.Trashed // nil: it cannot be restored
	Kept    *repo.Keep    // nil: nobody keeps it
	Keeping *keepChoice   // nil: it has no row
}

// linkedFact is a fact with where to open what it tells of.
type linkedFact struct {
	Fact
	Link string
}

func readFile(ctx context.Context, p *Page, open *Open, r *http.Request) (any, error) {
	f := &file{ID: strings.TrimSpace(r.URL.Query().Get("id"))}
	if f.ID == "" {
		return f, nil
	}
	var err error
	if f.Found, err = p.Commands.Explain(ctx, f.ID); err != nil {
		return nil, err
	}
	for _, fact := range f.Found.Facts {
		f.Facts = append(f.Facts, linkedFact{fact, p.linkTo(fact)})
	}
	if _, err = findUnused(ctx, open, f.ID); err != nil && !errors.Is(err, errNoPreview) {
		return nil, err
	}
	f.Unused = err == nil
	trashed, err := open.DB.ListTrash(ctx, repo.TrashFilter{IDs: []string{f.ID}})
	if len(trashed) > 0 {
		f.Trashed = &trashed[0]
	}
	return f, errors.Join(err, f.readKeep(ctx, open))
}

// readKeep tells whether the file is kept, or could be.
func (f *file) readKeep(ctx context.Context, open *Open) error {
	_, exists, err := open.DB.DescribeFile(ctx, f.ID)
	if err != nil {
		return err
	}
	if exists {
		f.Keeping = &keepChoice{"Keep it", f.ID}
	}
	kept, err := keepsOf(ctx, open, []string{f.ID})
	if k, is := kept[f.ID]; is {
		f.Kept = &k
	}
	return err
}

// places are where Open WebUI shows rows of its tables.
var places = map[string]string{
	"chat": "/c/", "note": "/notes/", "knowledge": "/workspace/knowledge/", "channel": "/channels/", "model": "/workspace/models/edit?id=",
}

// linkTo is where Open WebUI shows what a fact tells of; empty where nobody knows.
func (p *Page) linkTo(f Fact) string {
	place, known := places[f.Table]
	if !known || p.OpenWebUI == "" || f.Row == "" {
		return ""
	}
	return strings.TrimRight(p.OpenWebUI, "/") + place + url.QueryEscape(f.Row)
}
