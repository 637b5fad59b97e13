package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
	"pruned/vectors"
)

const (
	// pageSize is how many candidates, or things in a store that only tell whose it is, are
	// dealt with at once.
	pageSize = 1000
	// listPageSize is how many things in a store are: the database compares a page with
	// all that it has, and so a few large ones cost less than many.
	listPageSize = 20000
	// restFactor a listing, in multiples of what it took: one may be a scan of the
	// whole store.
	restFactor = 20
)

// direction is one place where a sweep looks.
type direction struct {
	repo.Direction
	store  repo.StoreInfo
	reason string // of its events
	files  func(context.Context) iter.Seq2[repo.Listed, error]

	contents
}

// contents is whose files are in a store.
type contents struct {
	there  int64    // files with something in it
	known  int64    // those of them that have a row here, or had
	sample []string // of the others

	unlinked map[string]bool // knowledge bases that hold a file which they do not link
}

func (d *direction) setContents(count *tally) {
	d.contents = contents{count.countFiles(), count.countKnown(), count.sample, count.unlinked}
}

// listing is what is remembered of the last one of a store.
type listing struct {
	ended time.Time
	took  time.Duration
	contents
}

func (w *run) rowDirection() *direction {
	return &direction{Direction: repo.FromRows, store: repo.StoreInfo{Name: "database"}, reason: "unreferenced"}
}

// storeDirections are the directions that list a store.
func (w *run) storeDirections() []*direction {
	return []*direction{
		{Direction: repo.FromVectors, store: repo.StoreInfo(w.Vectors.Info()), reason: "vectors without a row", files: func(ctx context.Context) iter.Seq2[repo.Listed, error] {
			return listedVectors(w.Vectors.Files(ctx))
		}},
		{Direction: repo.FromBytes, store: w.Blobs.Info(), reason: "bytes without a row", files: w.Blobs.List},
	}
}

func listedVectors(files iter.Seq2[vectors.File, error]) iter.Seq2[repo.Listed, error] {
	return func(yield func(repo.Listed, error) bool) {
		for f, err := range files {
			if !yield(repo.Listed{FileID: f.ID, Shared: f.Shared, Chunks: f.Chunks}, err) {
				return
			}
		}
	}
}

// listStore marks what a store holds of files without a row, unless it was listed so
// lately that it may rest. Where the store itself fails that is noted, and it is
// not done.
func (w *run) listStore(ctx context.Context, d *direction) (done bool, err error) {
	if last, known := w.listed[d.Direction]; known && w.mayRest(last) {
		d.contents = last.contents
		return true, nil
	}
	return w.readStore(ctx, d)
}

// readStore is listStore without a rest.
func (w *run) readStore(ctx context.Context, d *direction) (done bool, err error) {
	began := time.Now()
	err = w.recordStore(ctx, d)
	var failed *listError
	if errors.As(err, &failed) && ctx.Err() == nil {
		w.failed = errors.Join(w.failed, err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !w.DryRun {
		w.listed[d.Direction] = listing{ended: time.Now(), took: time.Since(began), contents: d.contents}
	}
	return true, nil
}

// mayRest says whether a sweep may do without what took so long a while ago.
func (w *run) mayRest(last listing) bool {
	return w.options.Rest && !w.DryRun && time.Since(last.ended) < restFactor*last.took
}

// pages lists a store page by page.
func (d *direction) pages(ctx context.Context, size int) iter.Seq2[[]repo.Listed, error] {
	return func(yield func([]repo.Listed, error) bool) {
		page := make([]repo.Listed, 0, size)
		for item, err := range d.files(ctx) {
			if err != nil {
				yield(nil, &listError{d.store.Name, err})
				return
			}
			if page = append(page, item); len(page) == size {
				if !yield(page, nil) {
					return
				}
				page = page[:0]
			}
		}
		if len(page) > 0 {
			yield(page, nil)
		}
	}
}

// listError is a store that could not be listed.
type listError struct {
	store string
	err   error
}

func (f *listError) Error() string { return fmt.Sprintf("list %s: %v", f.store, f.err) }
func (f *listError) Unwrap() error { return f.err }

// recordStore marks page by page, and at the end of the store forgets what was not
// marked.
func (w *run) recordStore(ctx context.Context, d *direction) error {
	stage := "reading " + d.store.Name
	var count tally
	var read int64
	for page, err := range d.pages(ctx, cmp.Or(w.pageSize, listPageSize)) {
		if err != nil {
			return err
		}
		read += int64(len(page))
		w.options.progress(stage, read, 0)
		publishable := slices.DeleteFunc(page, func(item repo.Listed) bool { return !isPublishable(item.FileID) })
		if err := w.recordPage(ctx, d, publishable, &count); err != nil {
			return err
		}
	}
	w.options.progress(stage, read, read)
	d.setContents(&count)
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		return w.DB.DropStale(ctx, tx, w.number, d.Direction)
	})
}

func (w *run) recordPage(ctx context.Context, d *direction, page []repo.Listed, count *tally) error {
	switch {
	case len(page) == 0:
		return nil
	case d.IsLeftover():
		return w.recordLeftovers(ctx, d, page, count)
	}
	w.noteUnlinked(ctx, page, count)
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		rowless, err := count.addPage(ctx, w.DB, tx, d.Direction, page)
		if err != nil || len(rowless) == 0 {
			return err
		}
		return w.DB.UpsertListed(ctx, tx, w.number, d.Direction, d.store.Name, rowless)
	})
}

// isPublishable holds for ids that an event can name.
func isPublishable(id string) bool { return event.ValidateText(id) == nil }
