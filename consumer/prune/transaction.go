package prune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
	"pruned/vectors"
)

// Transaction handles claims in one shared transaction: file lookup, vector
// cleanup and delete commit together or not at all.
type Transaction struct {
	DB          repo.DB
	Vectors     vectors.Store
	VectorStore repo.StoreInfo
	Blobs       repo.Blobs
	Ages        repo.Ages
	BytesDelay  time.Duration // until the bytes of a deleted file may go
	DryRun      bool          // takes the same path and rolls back
}

// Report is what one transaction did.
type Report struct {
	Results map[string]event.Result // by file id
	Chunks  int64
	Changed int64         // bytes of changed rows that the looks read
	Looking time.Duration // of the whole
	Took    time.Duration
	Held    time.Duration // that it kept everybody else from writing
}

// appeared are mentions that were committed between the look and the end.
type appeared map[string]repo.Reference

func (a appeared) Error() string { return fmt.Sprintf("%d files came into use meanwhile", len(a)) }

// unknown are files that the index has not seen yet.
type unknown struct{}

func (unknown) Error() string { return "files appeared since the last pass" }

// Run handles claims about different files. What came into use between the look
// and the commit rolls everything back, and is left out of the next try.
func (x *Transaction) Run(ctx context.Context, claims []event.Delivery) (Report, error) {
	inUse := appeared{}
	for passed := false; ; {
		report, err := x.try(ctx, claims, inUse, passed)
		var late appeared
		switch {
		case errors.As(err, &late):
			maps.Copy(inUse, late)
		case errors.Is(err, unknown{}):
			if err := x.DB.Pass(ctx); err != nil {
				return report, err
			}
			passed = true
		case errors.Is(err, repo.ErrDryRun):
			return report, nil
		default:
			return report, err
		}
	}
}

// try is the seven steps. passed says that a pass has just run, so that what is
// unknown now stays so for longer than a batch can wait.
func (x *Transaction) try(ctx context.Context, claims []event.Delivery, inUse appeared, passed bool) (Report, error) {
	a := &attempt{Transaction: x, inUse: inUse, report: Report{Results: make(map[string]event.Result, len(claims))}}
	start := time.Now()
	err := x.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		a.tx = tx
		if err := a.look(ctx, claims); err != nil {
			return err
		}
		if !passed && a.wantsPass() {
			return unknown{}
		}
		if err := a.judge(ctx); err != nil {
			return err
		}
		if err := a.remove(ctx, claims); err != nil {
			return err
		}
		if err := a.lookAgain(ctx); err != nil {
			return err
		}
		if x.DryRun {
			return repo.ErrDryRun
		}
		return nil
	})
	a.report.Took = time.Since(start)
	if since := a.locked.Since; !since.IsZero() {
		a.report.Held = time.Since(since)
	}
	return a.report, err
}

// attempt is one try.
type attempt struct {
	*Transaction
	tx     repo.Tx
	inUse  appeared
	report Report

	locked repo.Locked
	found  repo.Look
	blobs  map[string][]repo.Blob // of ids without a row
	others map[string]bool        // of those, what is no UUID and never was a file's

	doomed, gone []string
}

// look is steps 1 and 2: lock, then look in a statement of its own, whose
// snapshot is newer than the locks.
func (a *attempt) look(ctx context.Context, claims []event.Delivery) (err error) {
	ids := make([]string, len(claims))
	for i, c := range claims {
		ids[i] = c.Subject
	}
	if a.locked, err = a.DB.Lock(ctx, a.tx, ids, a.Ages); err != nil {
		return err
	}
	present := make([]string, len(a.locked.Files))
	for i, f := range a.locked.Files {
		present[i] = f.ID
	}
	if len(present)+len(a.locked.Gone) > 0 {
		// Without a row there is nothing to look for, but the snapshot that the
		// last look starts from.
		start := time.Now()
		if a.found, err = a.DB.Look(ctx, a.tx, present); err != nil {
			return err
		}
		a.report.Looking, a.report.Changed = time.Since(start), a.found.Changed
		a.remember()
	}
	if len(a.locked.Gone) > 0 {
		if err := a.findOthers(ctx); err != nil {
			return err
		}
		return a.find(ctx)
	}
	return nil
}

// findOthers looks which ids without a row are nothing that the application made: it
// gives UUIDs. Plugins may, but then there is a row, or a line in the ledger.
func (a *attempt) findOthers(ctx context.Context) error {
	ids := slices.DeleteFunc(slices.Clone(a.locked.Gone), func(id string) bool { return mention.IsUUID(mention.Token(id)) })
	if a.others = map[string]bool{}; len(ids) == 0 {
		return nil
	}
	strangers, err := a.DB.Strangers(ctx, a.tx, ids)
	for _, id := range strangers {
		a.others[id] = true
	}
	return err
}

// wantsPass says whether a pass may make known what is not. What no look can find
// is kept in any case.
func (a *attempt) wantsPass() bool {
	for id := range a.found.Unknown {
		if mention.Searchable(mention.Token(id)) {
			return true
		}
	}
	return false
}

// find looks for the bytes of ids without a row. Those that an earlier claim has
// dealt with are nobody's business any more: the second claim about a file finds
// nothing.
func (a *attempt) find(ctx context.Context) (err error) {
	if a.blobs, err = a.Blobs.Find(ctx, a.locked.Gone); err != nil {
		return &repo.Error{Kind: repo.Environment, Doing: "look for the bytes of files without a row", Err: err}
	}
	entombed, err := a.DB.Entombed(ctx, a.tx, a.locked.Gone)
	for id, names := range entombed {
		a.blobs[id] = slices.DeleteFunc(a.blobs[id], func(b repo.Blob) bool { return slices.Contains(names, b.Name) })
	}
	return err
}

// remember keeps what came into use under an earlier try, also if it is out of
// use again by now. A row that appeared is judged like any other.
func (a *attempt) remember() {
	for id, reference := range a.inUse {
		if reference.Table != "file" {
			a.found.Referenced[id] = reference
		}
	}
}

// judge sorts the claims, and keeps the clocks of those that stay.
func (a *attempt) judge(ctx context.Context) error {
	var start, stop []string
	for _, f := range a.locked.Files {
		result := judge(f, a.found, a.Ages)
		a.report.Results[f.ID] = result
		switch {
		case result.Outcome == event.Deleted:
			a.doomed = append(a.doomed, f.ID)
		case result.Outcome == event.Kept && f.Clocked:
			stop = append(stop, f.ID)
		case result.Outcome == event.Young && !f.Clocked && !a.found.Unknown[f.ID]:
			start = append(start, f.ID)
		}
	}
	for _, id := range a.locked.Busy {
		a.report.Results[id] = event.Result{Outcome: event.Busy, Detail: "somebody else holds its row"}
	}
	for _, id := range a.locked.Doubtful {
		a.report.Results[id] = doubtful()
	}
	for _, id := range a.locked.Gone {
		result := judgeGone(a.blobs[id], a.Ages)
		if result.Outcome == event.Gone && a.found.PendingRows != "" {
			result = young("somebody may yet commit its row: "+a.found.PendingRows, minRetry)
		}
		if _, back := a.inUse[id]; back {
			result = event.Result{Outcome: event.Busy, Detail: "its row appeared just now"}
		}
		a.report.Results[id] = result
		if a.others[id] {
			a.report.Results[id] = event.Result{Outcome: event.Gone, Detail: "no file ever had this id: what is called so in the stores is another program's"}
			continue
		}
		if result.Outcome == event.Gone {
			a.gone = append(a.gone, id)
		}
	}
	if len(start) > 0 {
		if err := a.DB.StartClocks(ctx, a.tx, start); err != nil {
			return err
		}
	}
	if len(stop) > 0 {
		return a.DB.StopClocks(ctx, a.tx, stop)
	}
	return nil
}

// remove is steps 3 to 5: vectors, rows, then tombstones and ledger, which are
// written only from what the database says was deleted.
func (a *attempt) remove(ctx context.Context, claims []event.Delivery) error {
	if len(a.doomed)+len(a.gone) == 0 {
		return nil
	}
	rest, err := a.removeChunks(ctx)
	if err != nil {
		return err
	}
	var deleted []repo.Deleted
	if len(a.doomed) > 0 {
		if deleted, err = a.DB.Delete(ctx, a.tx, a.doomed); err != nil {
			return err
		}
	}
	if tombstones := a.tombstones(deleted, rest); len(tombstones) > 0 {
		if err := a.DB.Entomb(ctx, a.tx, tombstones); err != nil {
			return err
		}
	}
	if entries := a.entries(deleted, claims); len(entries) > 0 {
		return a.DB.Record(ctx, a.tx, entries)
	}
	return nil
}

// removeChunks removes what can be removed in the transaction, and says whether more
// may be left. In a store that is not known to be this installation's that is all:
// another's row may have the same id, as in a copy.
func (a *attempt) removeChunks(ctx context.Context) (rest bool, err error) {
	bound := a.DryRun || !a.Vectors.Joins()
	if !bound {
		if bound, err = repo.Bound(ctx, a.DB, a.tx, a.VectorStore); err != nil {
			return false, err
		}
	}
	if !bound {
		return true, nil
	}
	a.report.Chunks, rest, err = a.Vectors.Join(ctx, a.tx, a.doomed, a.gone)
	if err != nil {
		return false, repo.StoreError(ctx, "remove vectors", err, errors.Is(err, vectors.ErrUnusable))
	}
	return rest, nil
}

func (a *attempt) tombstones(deleted []repo.Deleted, rest bool) (list []repo.Tombstone) {
	for _, d := range deleted {
		if name := openwebui.BaseName(d.Path); name != "" {
			list = append(list, repo.Tombstone{Kind: repo.Bytes, FileID: d.ID, Name: name, Delay: a.BytesDelay})
		}
	}
	for _, id := range a.gone {
		for _, blob := range a.blobs[id] {
			list = append(list, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: blob.Name, Delay: a.BytesDelay})
		}
	}
	if rest {
		for _, id := range slices.Concat(a.doomed, a.gone) {
			list = append(list, repo.Tombstone{Kind: repo.Vectors, FileID: id})
		}
	}
	return list
}

func (a *attempt) entries(deleted []repo.Deleted, claims []event.Delivery) (list []repo.Entry) {
	by := make(map[string]event.Event, len(claims))
	for _, c := range claims {
		by[c.Subject] = c.Event
	}
	entry := func(id, path string, outcome event.Outcome) repo.Entry {
		return repo.Entry{FileID: id, Path: path, Outcome: string(outcome),
			EventID: by[id].ID, Source: by[id].Source, Reason: by[id].Reason}
	}
	for _, d := range deleted {
		list = append(list, entry(d.ID, d.Path, event.Deleted))
	}
	for _, id := range a.gone {
		for _, blob := range a.blobs[id] {
			list = append(list, entry(id, blob.Name, event.Gone))
		}
	}
	return list
}

// lookAgain is step 6. There is nothing to look for when nothing goes.
func (a *attempt) lookAgain(ctx context.Context) error {
	if len(a.doomed)+len(a.gone) == 0 {
		return nil
	}
	start := time.Now()
	late, err := a.DB.LookAgain(ctx, a.tx, a.found, a.doomed, a.gone)
	a.report.Looking += time.Since(start)
	if err == nil && len(late) > 0 {
		return appeared(late)
	}
	return err
}
