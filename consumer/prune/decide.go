package prune

import (
	"fmt"
	"time"

	"pruned/consumer/event"
	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/repo/mention"
)

const (
	// minRetry is the soonest that a young file is worth another event.
	minRetry = time.Minute
	// deferredRetry is how long a restore, or a person who confirms, is given.
	deferredRetry = 10 * time.Minute
)

// plan is what becomes of what the events of a batch are about.
type plan struct {
	results map[string]event.Result

	rows    []string         // ids of rows to delete, with all that is theirs
	remains []string         // ids without a row of which everything that is left goes
	bytes   map[string]sight // of those

	startGrace, endGrace []string

	leftovers []leftover.Leftover // to go
	used      []leftover.Leftover // that were known to be unused, and are in use
}

// isEmpty says whether nothing goes.
func (p plan) isEmpty() bool { return len(p.rows)+len(p.remains)+len(p.leftovers) == 0 }

// decide sorts files, collections and points by their outcomes. It is pure: all that it goes by is in the view,
// and what cannot be known keeps a file.
func decide(v view, ages repo.Ages) plan {
	p := plan{results: make(map[string]event.Result, len(v.locked.Files)), rows: make([]string, 0, len(v.locked.Files)), bytes: v.bytes}
	for _, f := range v.locked.Files {
		result := decideRow(f, v.found, ages)
		p.results[f.ID] = result
		switch {
		case result.Outcome == event.Deleted:
			p.rows = append(p.rows, f.ID)
		case result.Outcome == event.Kept && f.HasGrace:
			p.endGrace = append(p.endGrace, f.ID)
		case result.Outcome == event.Young && !f.HasGrace && !v.found.Unknown[f.ID]:
			p.startGrace = append(p.startGrace, f.ID)
		}
	}
	for _, id := range v.locked.Busy {
		p.results[id] = event.Result{Outcome: event.Busy, Detail: "somebody else holds its row"}
	}
	for _, id := range v.locked.Deferred {
		p.results[id] = deferMissing()
	}
	for _, id := range v.locked.Gone {
		result := decideWithoutRow(id, v, ages)
		p.results[id] = result
		if result.Outcome == event.Gone && !v.strangers[id] {
			p.remains = append(p.remains, id)
		}
	}
	for _, f := range v.leftovers {
		p.addLeftover(f, decideLeftover(f, v, ages))
	}
	return p
}

// decideRow decides about a file whose row is locked.
func decideRow(f repo.File, look repo.References, ages repo.Ages) event.Result {
	if reference, found := look.Referenced[f.ID]; found {
		return keptBy(reference)
	}
	switch {
	case !mention.Searchable(mention.Token(f.ID)):
		return event.Result{Outcome: event.Kept, Detail: "its id may be written in other ways, so that no search can tell whether it is in use"}
	case look.Unknown[f.ID]:
		return youngFor("it appeared with an old date: every table is read once more first", minRetry)
	case f.InFlight:
		return youngFor("it is being processed", f.EligibleIn)
	case f.EligibleIn > 0:
		return youngFor(fmt.Sprintf("it is %s old", f.Age.Round(time.Second)), max(f.EligibleIn, ages.Orphan-f.UnreferencedFor))
	case ages.Orphan > 0 && !f.HasGrace:
		return youngFor("it was not known to be unreferenced before", ages.Orphan)
	case f.UnreferencedFor < ages.Orphan:
		return youngFor(fmt.Sprintf("it is known to be unreferenced for only %s", f.UnreferencedFor.Round(time.Second)), ages.Orphan-f.UnreferencedFor)
	case look.Pending != "":
		return youngFor("somebody may yet commit a mention of it: "+look.Pending, minRetry)
	}
	return event.Result{Outcome: event.Deleted}
}

// decideWithoutRow decides about an id without a row. Bytes without a row may be an
// upload under way: the application writes them first.
func decideWithoutRow(id string, v view, ages repo.Ages) event.Result {
	if v.strangers[id] {
		return event.Result{Outcome: event.Gone, Detail: "no file ever had this id: what is called so in the stores is another program's"}
	}
	if _, appeared := v.late[id]; appeared {
		return event.Result{Outcome: event.Busy, Detail: "its row appeared just now"}
	}
	for _, blob := range v.bytes[id].blobs {
		if blob.Age < ages.Min {
			return youngFor(fmt.Sprintf("it has no row, and bytes that are %s old", blob.Age.Round(time.Second)), ages.Min-blob.Age)
		}
	}
	if v.found.PendingRows != "" {
		return youngFor("somebody may yet commit its row: "+v.found.PendingRows, minRetry)
	}
	return event.Result{Outcome: event.Gone}
}

// deferMissing is the result of an id without a row where no file has one. It is young, and
// not busy: the table may be empty for good, and a drain would never end. Nor does
// anything pass by waiting: a restore that begins later would find the table as
// empty as it was before. So that only a row, or a person, decides: a sweep finds the
// remains, is held, and what is confirmed goes.
func deferMissing() event.Result {
	return youngFor("table file is empty, as while a backup is restored: only `pruned sweep --confirm` lets anything go", deferredRetry)
}

func keptBy(r repo.Reference) event.Result {
	if r.Table == repo.KeptByHand {
		return event.Result{Outcome: event.Kept, Detail: "somebody keeps it: `pruned keep list` tells for how long, and why"}
	}
	detail := "mentioned by " + r.Table
	if r.Row != "" {
		detail += " " + r.Row
	}
	if r.Column != "" {
		detail += ", column " + r.Column
	}
	return event.Result{Outcome: event.Kept, Detail: detail}
}

func youngFor(why string, in time.Duration) event.Result {
	return event.Result{Outcome: event.Young, Detail: why, RetryIn: max(in, minRetry)}
}
