package prune

import (
	"context"
	"errors"
	"slices"
	"time"

	"pruned/consumer/event"
	"pruned/consumer/leftover"
	"pruned/consumer/tracing"
	"pruned/repo"
	"pruned/vectors"
)

// apply is steps 3 to 5: vectors, rows, then tombstones and ledger, which are written
// only from what the database says was deleted. The grace periods of files that stay
// start and end with the decision, too. It reports what went.
func (x *Transaction) apply(ctx context.Context, tx repo.Tx, p plan, events []event.Delivery, report *Report) error {
	if len(p.startGrace)+len(p.endGrace) > 0 {
		if err := x.DB.SetGrace(ctx, tx, repo.FromRows, p.startGrace, p.endGrace); err != nil {
			return err
		}
	}
	if len(p.rows)+len(p.remains) > 0 {
		if err := x.applyFiles(ctx, tx, p, events, report); err != nil {
			return err
		}
	}
	return x.applyLeftovers(ctx, tx, p, events, report)
}

// applyFiles is apply for the files that go.
func (x *Transaction) applyFiles(ctx context.Context, tx repo.Tx, p plan, events []event.Delivery, report *Report) error {
	end := report.Timing.begin(ctx, Vectors)
	chunks, rest, err := x.removeVectors(ctx, tx, p)
	if end(); err != nil {
		return err
	}
	var deleted []repo.Deleted
	if len(p.rows) > 0 {
		end := report.Timing.begin(ctx, Delete)
		deleted, err = x.DB.Delete(ctx, tx, p.rows, x.Trash)
		if end(); err != nil {
			return err
		}
	}
	report.Rows, report.Chunks = int64(len(deleted)), chunks
	defer report.Timing.begin(ctx, Record)()
	if report.Tombstones = x.tombstonesOf(p, deleted, rest, events); len(report.Tombstones) > 0 {
		if err := x.DB.AddTombstones(ctx, tx, report.Tombstones); err != nil {
			return err
		}
	}
	if entries := ledgerEntries(p, deleted, events); len(entries) > 0 {
		return x.DB.RecordEntries(ctx, tx, entries)
	}
	return nil
}

// removeVectors removes the vectors that lie in the same database, and says how many, and whether more
// may be left: all of any other store, and of one that is not known to be this
// installation's, since another's row may have the same id, as in a copy.
func (x *Transaction) removeVectors(ctx context.Context, tx repo.Tx, p plan) (chunks int64, rest bool, err error) {
	ids := slices.Concat(p.rows, p.remains)
	store, transactional := x.Vectors.(vectors.Transactional)
	if !transactional {
		return 0, len(ids) > 0, nil
	}
	if !x.DryRun {
		approved, err := repo.IsApproved(ctx, x.DB, tx, repo.StoreInfo(store.Info()))
		if err != nil || !approved {
			return 0, true, err
		}
	}
	chunks, rest, err = store.RemoveInTx(ctx, tx, ids)
	if err != nil {
		return 0, false, repo.StoreError(ctx, "remove vectors", err, errors.Is(err, vectors.ErrUnusable))
	}
	return chunks, rest, nil
}

// tombstonesOf names what is left to be removed after the commit: bytes, and vectors if
// rest says so.
func (x *Transaction) tombstonesOf(p plan, deleted []repo.Deleted, rest bool, events []event.Delivery) (list []repo.Tombstone) {
	traces := traceOf(events)
	n := len(deleted)
	if rest {
		n += len(p.rows) + len(p.remains)
	}
	list = make([]repo.Tombstone, 0, n)
	for _, d := range deleted {
		if name := x.Blobs.NameOf(d.Path); name != "" {
			list = append(list, repo.Tombstone{Kind: repo.Bytes, FileID: d.ID, Name: name, Delay: max(x.BytesDelay, x.Trash), Trace: traces[d.ID]})
		}
	}
	for _, id := range p.remains {
		seen := p.bytes[id]
		for _, blob := range seen.blobs {
			list = append(list, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: blob.Name, Delay: x.BytesDelay, Age: time.Since(seen.began), Trace: traces[id]})
		}
	}
	if rest {
		for _, id := range slices.Concat(p.rows, p.remains) {
			list = append(list, repo.Tombstone{Kind: repo.Vectors, FileID: id, Trace: traces[id]})
		}
	}
	return list
}

// traceOf is under which span each event is handled, by its subject.
func traceOf(events []event.Delivery) map[string]string {
	traces := map[string]string{}
	for _, e := range events {
		if e.Span.IsSampled() {
			traces[e.Subject] = tracing.Format(e.Span)
		}
	}
	return traces
}

// ledgerEntries are a line for each row that was deleted, and for each object of a file
// without a row.
func ledgerEntries(p plan, deleted []repo.Deleted, events []event.Delivery) (list []repo.Entry) {
	by := make(map[string]event.Event, len(events))
	for _, e := range events {
		if e.Type == event.FileOrphaned {
			by[e.Subject] = e.Event
		}
	}
	entry := func(id, path string, outcome event.Outcome) repo.Entry {
		return repo.Entry{FileID: id, Path: path, Outcome: string(outcome),
			EventID: by[id].ID, Source: by[id].Source, Reason: by[id].Reason}
	}
	list = make([]repo.Entry, 0, len(deleted))
	for _, d := range deleted {
		list = append(list, entry(d.ID, d.Path, event.Deleted))
	}
	for _, id := range p.remains {
		for _, blob := range p.bytes[id].blobs {
			list = append(list, entry(id, blob.Name, event.Gone))
		}
	}
	return list
}

// recheck is step 6: it looks for all files that are not known to be in use, since those
// that stay for now must not be taken for unused either. There is nothing to look for when
// nothing goes.
func (x *Transaction) recheck(ctx context.Context, tx repo.Tx, v *view, p plan, timing Timing) error {
	if p.isEmpty() {
		return nil
	}
	defer timing.begin(ctx, Recheck)()
	came, err := x.DB.RecheckReferences(ctx, tx, v.found, slices.Concat(v.unreferenced(), leftover.Names(p.leftovers)), p.remains)
	v.found.Changed += came.Changed
	late := lateReferencesError(came.References)
	if err == nil {
		err = x.recheckLeftovers(ctx, tx, *v, p, late)
	}
	if err == nil && len(late) > 0 {
		err = late
	}
	return err
}
