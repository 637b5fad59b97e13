package prune

import (
	"context"
	"maps"
	"slices"

	"pruned/consumer/event"
	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/repo/mention"
)

// view is what a transaction found of what its events are about.
type view struct {
	locked repo.Locked
	found  repo.References
	// indexedOnly: found tells nothing of rows that changed since the index read them.
	indexedOnly bool
	late        lateReferencesError // of earlier tries

	bytes     map[string]sight // of ids without a row, but for those with a tombstone
	strangers map[string]bool  // ids without a row that are no UUID, and never were a file's

	leftovers []found // collections and points
}

// lockAndFind is steps 1 and 2: it locks, and then looks for references in a statement
// of its own, whose snapshot is newer than the locks. As a rule it asks the index alone, and
// what changed since is read once, at the end: it hardly ever mentions what an hour ago
// nothing did. For collections and points, whose mentions decide what else is asked,
// everything is read here.
func (x *Transaction) lockAndFind(ctx context.Context, tx repo.Tx, events []event.Delivery, known known, timing Timing) (v view, err error) {
	v.late, v.leftovers = known.late, parseLeftovers(events)
	var ids []string
	for _, e := range events {
		if e.Type == event.FileOrphaned {
			ids = append(ids, e.Subject)
		}
	}
	end := timing.begin(ctx, Lock)
	v.locked, err = x.DB.Lock(ctx, tx, ids, x.Ages)
	if end(); err != nil {
		return v, err
	}
	present := make([]string, len(v.locked.Files))
	for i, f := range v.locked.Files {
		present[i] = f.ID
	}
	leftovers := ours(v.leftovers)
	if len(present)+len(v.locked.Gone)+len(leftovers) == 0 {
		return v, nil
	}
	// Without a row there is nothing to look for, but the snapshot that step 6
	// compares with.
	end = timing.begin(ctx, Find)
	find := x.DB.FindReferences
	if v.indexedOnly = len(leftovers) == 0; v.indexedOnly {
		find = x.DB.FindIndexed
	}
	v.found, err = find(ctx, tx, slices.Concat(present, leftover.Names(leftovers)))
	if end(); err != nil {
		return v, err
	}
	v.addLateReferences()
	if len(leftovers) > 0 {
		if err := x.lookUpLeftovers(ctx, tx, &v); err != nil {
			return v, err
		}
	}
	if len(v.locked.Gone) == 0 {
		return v, nil
	}
	if v.strangers, err = x.findStrangers(ctx, tx, v.locked.Gone); err != nil {
		return v, err
	}
	v.bytes, err = x.findUnpending(ctx, tx, known.bytes, v.locked.Gone)
	return v, err
}

// unreferenced are the files with a row that are not known to be in use.
func (v view) unreferenced() (ids []string) {
	for _, f := range v.locked.Files {
		if _, is := v.found.Referenced[f.ID]; !is {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// findChanged looks for all that step 2 left to step 6, which is not taken where nothing
// goes: what is decided about the files that stay rests on it too.
func (x *Transaction) findChanged(ctx context.Context, tx repo.Tx, v *view, timing Timing) (err error) {
	ids := v.unreferenced()
	if !v.indexedOnly || len(ids) == 0 {
		return nil
	}
	defer timing.begin(ctx, Find)()
	known := v.found.Referenced
	v.found, err = x.DB.FindReferences(ctx, tx, ids)
	maps.Copy(v.found.Referenced, known)
	return err
}

// addLateReferences adds what came into use under an earlier try, also if it is out of
// use again by now. A row that appeared is decided about like any other.
func (v view) addLateReferences() {
	for id, reference := range v.late {
		if reference.Table != "file" {
			v.found.Referenced[id] = reference
		}
	}
}

// hasIndexable says whether bringing the index up to date may make known a file that is
// unknown. One whose id no search can find is kept in any case.
func (v view) hasIndexable() bool {
	for id := range v.found.Unknown {
		if mention.Searchable(mention.Token(id)) {
			return true
		}
	}
	return false
}

// findStrangers finds the ids without a row that the application did not make: it gives
// UUIDs. Plugins may give others, but then there is a row, or a line in the ledger.
func (x *Transaction) findStrangers(ctx context.Context, tx repo.Tx, gone []string) (map[string]bool, error) {
	ids := slices.DeleteFunc(slices.Clone(gone), func(id string) bool { return mention.IsUUID(mention.Token(id)) })
	found := map[string]bool{}
	if len(ids) == 0 {
		return found, nil
	}
	had, err := x.DB.FindRowless(ctx, tx, ids)
	for id, was := range had {
		found[id] = !was
	}
	return found, err
}
