package prune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/consumer/event"
	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/repo/mention"
	"pruned/vectors"
)

// found is what a transaction found of a collection or a point that an event is about.
type found struct {
	leftover.Leftover
	key     string // of the event
	name    string
	foreign bool // it is not called as the application calls its own
	use     leftover.Use
	grace   time.Duration // since a sweep first found that nothing uses it
	known   bool          // a sweep found that
}

// parseLeftovers are the events that are not about files.
func parseLeftovers(events []event.Delivery) (list []found) {
	for _, e := range events {
		if e.Type == event.FileOrphaned {
			continue
		}
		l, known := leftover.Parse(e.Subject, directionOf(e.Type))
		list = append(list, found{Leftover: l, key: e.Key(), name: e.Subject, foreign: !known})
	}
	return list
}

func directionOf(typ string) repo.Direction {
	if typ == event.CollectionOrphaned {
		return repo.FromCollections
	}
	return repo.FromPoints
}

// ours are those that may be the application's.
func ours(list []found) (leftovers []leftover.Leftover) {
	for _, f := range list {
		if !f.foreign {
			leftovers = append(leftovers, f.Leftover)
		}
	}
	return leftovers
}

// lookUpLeftovers says what uses each, and for how long nothing is known to.
func (x *Transaction) lookUpLeftovers(ctx context.Context, tx repo.Tx, v *view) error {
	uses, err := leftover.FindUses(ctx, x.Leftovers, tx, ours(v.leftovers), v.found)
	if err != nil {
		return err
	}
	names := map[repo.Direction][]string{}
	for i, f := range v.leftovers {
		if !f.foreign {
			v.leftovers[i].use = uses[f.Leftover]
			names[f.Direction()] = append(names[f.Direction()], f.name)
		}
	}
	for d, names := range names {
		grace, err := x.Leftovers.ReadGrace(ctx, tx, d, names)
		if err != nil {
			return err
		}
		for i := range v.leftovers {
			if f := &v.leftovers[i]; !f.foreign && f.Direction() == d {
				f.grace, f.known = grace[f.name]
			}
		}
	}
	return nil
}

// decideLeftover decides about one. Only a sweep knows what there is: what none has found
// is not there, or is in use.
func decideLeftover(f found, v view, ages repo.Ages) event.Result {
	least := max(ages.Min, ages.Orphan, f.MinGrace())
	late, came := v.late[f.key]
	switch {
	case f.foreign:
		return event.Result{Outcome: event.Kept, Detail: "Open WebUI gives no such names: it is another program's"}
	case came:
		return keptBy(late)
	case f.use.Restored:
		return youngFor("table user is empty, as while a backup is restored", deferredRetry)
	case f.use.Unknown:
		return decideUnknown(f.Leftover)
	case !f.use.IsFree():
		return keptBy(f.use.Reference)
	case !f.known:
		return event.Result{Outcome: event.Gone, Detail: "no sweep has found it"}
	case f.grace < least:
		return youngFor(fmt.Sprintf("it is known to be unused for only %s", f.grace.Round(time.Second)), least-f.grace)
	case v.found.Pending != "":
		return youngFor("somebody may yet commit a mention of it: "+v.found.Pending, minRetry)
	}
	return event.Result{Outcome: event.Deleted}
}

func decideUnknown(l leftover.Leftover) event.Result {
	if !mention.Searchable(mention.Token(l.Collection)) {
		return event.Result{Outcome: event.Kept, Detail: "its name may be written in other ways, so that no search can tell whether it is in use"}
	}
	return youngFor("its name is new: every table is read once more first", minRetry)
}

// addLeftover notes in the plan what becomes of one.
func (p *plan) addLeftover(f found, result event.Result) {
	p.results[f.key] = result
	switch {
	case result.Outcome == event.Deleted:
		p.leftovers = append(p.leftovers, f.Leftover)
	case result.Outcome == event.Kept && f.known:
		p.used = append(p.used, f.Leftover)
	}
}

// applyLeftovers is steps 3 to 5 for collections and points. What went, or is in use again,
// is no candidate any more.
func (x *Transaction) applyLeftovers(ctx context.Context, tx repo.Tx, p plan, events []event.Delivery, report *Report) error {
	for d, names := range leftover.NamesByDirection(p.leftovers, p.used) {
		if err := x.DB.SetGrace(ctx, tx, d, nil, names); err != nil {
			return err
		}
	}
	if len(p.leftovers) == 0 {
		return nil
	}
	end := report.Timing.begin(ctx, Vectors)
	chunks, rest, err := x.removeLeftovers(ctx, tx, p.leftovers)
	if end(); err != nil {
		return err
	}
	report.Chunks += chunks
	defer report.Timing.begin(ctx, Record)()
	var tombstones []repo.Tombstone
	traces := traceOf(events)
	for _, l := range rest {
		tombstones = append(tombstones, repo.Tombstone{Kind: l.Direction().Kind(), FileID: l.Name(), Trace: traces[l.Name()]})
	}
	if len(tombstones) > 0 {
		report.Tombstones = append(report.Tombstones, tombstones...)
		if err := x.DB.AddTombstones(ctx, tx, tombstones); err != nil {
			return err
		}
	}
	return x.DB.RecordEntries(ctx, tx, leftoverEntries(p.leftovers, events))
}

// removeLeftovers removes what lies in the database, and says what is left: of any other
// store everything is.
func (x *Transaction) removeLeftovers(ctx context.Context, tx repo.Tx, list []leftover.Leftover) (chunks int64, rest []leftover.Leftover, err error) {
	store, keeps := x.Vectors.(vectors.CollectionStore)
	_, transactional := x.Vectors.(vectors.Transactional)
	if !keeps || !transactional {
		return 0, list, nil
	}
	if !x.DryRun {
		approved, err := repo.IsApproved(ctx, x.DB, tx, repo.StoreInfo(store.Info()))
		if err != nil || !approved {
			return 0, list, err
		}
	}
	chunks, rest, err = leftover.Remove(ctx, store, tx, list, nil)
	if err != nil {
		return 0, nil, repo.StoreError(ctx, "remove collections", err, errors.Is(err, vectors.ErrUnusable))
	}
	return chunks, rest, nil
}

// leftoverEntries are a line of the ledger for each.
func leftoverEntries(list []leftover.Leftover, events []event.Delivery) (entries []repo.Entry) {
	by := make(map[string]event.Event, len(events))
	for _, e := range events {
		if e.Type != event.FileOrphaned {
			by[e.Subject] = e.Event
		}
	}
	for _, l := range list {
		e := by[l.Name()]
		entries = append(entries, repo.Entry{FileID: l.Name(), Outcome: string(event.Deleted), EventID: e.ID, Source: e.Source, Reason: e.Reason})
	}
	return entries
}

// recheckLeftovers says what rows came back since they were looked up. Of mentions the
// search for files tells.
func (x *Transaction) recheckLeftovers(ctx context.Context, tx repo.Tx, v view, p plan, late lateReferencesError) error {
	rows := leftover.ByRow(p.leftovers)
	if len(rows) == 0 {
		return nil
	}
	uses, err := leftover.FindUses(ctx, x.Leftovers, tx, rows, repo.References{})
	for _, f := range v.leftovers {
		switch use := uses[f.Leftover]; {
		case use.Restored:
			return &repo.Error{Kind: repo.Passing, Doing: "look again for rows", Err: errors.New("table user was emptied meanwhile")}
		case !use.IsFree():
			late[f.key] = use.Reference
		}
	}
	return err
}
