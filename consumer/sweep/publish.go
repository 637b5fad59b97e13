package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"pruned/consumer/event"
	"pruned/consumer/fault"
	"pruned/repo"
)

const eventSource = "sweep"

// publishDue publishes the events of directions that are not held.
func (w *run) publishDue(ctx context.Context, all ...*direction) error {
	for _, d := range all {
		if err := w.checkBreaker(ctx, d); err != nil {
			return err
		}
	}
	for _, d := range all {
		if err := w.publishDirection(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// publishDirection goes through the candidates of a direction.
func (w *run) publishDirection(ctx context.Context, d *direction) error {
	return w.eachPage(ctx, d.Direction, func(page []repo.Candidate) error { return w.publishPage(ctx, d, page) })
}

// eachPage reads the candidates of a direction.
func (w *run) eachPage(ctx context.Context, d repo.Direction, fn func([]repo.Candidate) error) error {
	after := ""
	for {
		var page []repo.Candidate
		err := w.inTx(ctx, func(ctx context.Context, tx repo.Tx) (err error) {
			page, err = w.DB.ListCandidates(ctx, tx, d, w.Ages, after, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
		after = page[len(page)-1].FileID
	}
}

// publishPage tells of a page of candidates and publishes events about those that
// are due and held nowhere.
func (w *run) publishPage(ctx context.Context, d *direction, page []repo.Candidate) error {
	var events []event.Event
	for _, c := range page {
		if err := w.reportOrphan(c); err != nil {
			return err
		}
		if c.DueIn <= 0 && c.EnqueuedFor == 0 && !c.Held && isPublishable(c.FileID) {
			events = append(events, eventAbout(c, d.reason))
		}
	}
	if len(events) == 0 || w.DryRun {
		return nil
	}
	return w.publishEvents(ctx, d, events)
}

// reportOrphan counts an orphan and shows it.
func (w *run) reportOrphan(c repo.Candidate) error {
	w.report.Totals.Orphans++
	w.report.Totals.Chunks += c.Chunks
	w.report.Totals.Bytes += c.Size
	w.countLetGo(c)
	if w.options.Each == nil {
		return nil
	}
	return w.options.Each(Orphan{FileID: c.FileID, Direction: c.Direction, Bytes: c.Size,
		Age: int64(c.Age / time.Second), DueIn: wholeSeconds(c.DueIn)})
}

// countLetGo counts what was confirmed. A file that is found in two stores is one.
func (w *run) countLetGo(c repo.Candidate) {
	l := w.report.LetGo
	if l == nil || !c.Confirmed || c.Held {
		return
	}
	if in := wholeSeconds(c.DueIn); l.Files == 0 || in < l.FirstIn {
		l.FirstIn = in
	}
	w.letGo.addText(c.FileID)
	l.Files = w.letGo.estimate()
}

// wholeSeconds rounds up, so that only what is due is zero.
func wholeSeconds(d time.Duration) int64 { return int64((max(d, 0) + time.Second - 1) / time.Second) }

// eventAbout is the event about a candidate. Its id says which candidate that is: a sweep which
// follows one that was killed publishes the same event.
func eventAbout(c repo.Candidate, reason string) event.Event {
	e := event.NewOf(typeOf(c.Direction), c.FileID, eventSource, reason)
	about := e.Key()
	if len(about) > event.MaxMember/2 {
		sum := sha256.Sum256([]byte(about))
		about = hex.EncodeToString(sum[:])
	}
	e.ID = about + "/" + c.Since.UTC().Format(time.RFC3339Nano)
	return e
}

// typeOf is the type of the events about what is found in a direction.
func typeOf(d repo.Direction) string {
	switch d {
	case repo.FromCollections:
		return event.CollectionOrphaned
	case repo.FromPoints:
		return event.PointsOrphaned
	}
	return event.FileOrphaned
}

// publishEvents notes that an event is in the queue only after the queue has stored it:
// whatever ends this in between, a later sweep publishes it again. An event makes
// its file not exist, wherever it was found: it is noted in every such direction.
func (w *run) publishEvents(ctx context.Context, d *direction, events []event.Event) error {
	stored, err := w.Queue.Publish(ctx, event.Sequence(events...), nil)
	w.report.Published += int64(stored)
	if err != nil {
		return fmt.Errorf("publish what a sweep found: %w", err)
	}
	fault.Point("published")
	w.options.progress("publishing", w.report.Published, 0)
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.Subject
	}
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		for _, d := range d.sharedDirections() {
			if err := w.DB.MarkEnqueued(ctx, tx, d, ids); err != nil {
				return err
			}
		}
		return nil
	})
}

// sharedDirections are the directions in which what is found in this one may be found
// too, itself among them.
func (d *direction) sharedDirections() []repo.Direction {
	if d.Direction == repo.FromRows || d.IsLeftover() {
		return []repo.Direction{d.Direction}
	}
	return []repo.Direction{repo.FromVectors, repo.FromBytes}
}
