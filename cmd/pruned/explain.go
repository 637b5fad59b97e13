package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"pruned/config"
	"pruned/consumer/event"
	"pruned/repo"
	"pruned/vectors"
)

type explainCmd struct {
	subjectFlag
	ID string `arg:"" help:"File id, or what --type says."`
}

// explanation is the result of explain.
type explanation struct {
	ID         string               `json:"id"`
	Verdict    event.Outcome        `json:"verdict"` // that an event would have now
	Why        string               `json:"why"`
	AgeS       float64              `json:"age_s"`
	Status     string               `json:"status"`
	References []repo.Mention       `json:"references"`
	Vectors    []vectors.Collection `json:"vectors"`
	Path       string               `json:"path"`
	Bytes      []object             `json:"bytes"`
	// Filename, Owner and Size are what its row says; missing where it has none.
	Filename  string `json:"filename,omitempty"`
	Owner     string `json:"owner,omitempty"` // id of a user
	OwnerName string `json:"owner_name,omitempty"`
	Size      int64  `json:"size,omitempty"`
	// UnreferencedS is since when it is known that nothing uses it; DueInS is in
	// how long an event would delete it, as things are. Missing where neither is so.
	UnreferencedS *float64 `json:"unreferenced_s,omitempty"`
	DueInS        *float64 `json:"due_in_s,omitempty"`
	// Keep is there while somebody keeps it (`pruned keep`).
	Keep *repo.Keep `json:"keep,omitempty"`
	// Held is the hold that a file without a mention goes nowhere before.
	Held *repo.Hold `json:"held,omitempty"`
	// Ledger is what was deleted under this id, oldest first.
	Ledger []repo.Entry `json:"ledger"`
	// Trash is what can be restored of it; missing where nothing can.
	Trash *repo.Trashed `json:"trash,omitempty"`

	exists bool              // it has a row
	typ    string            // of the event
	users  map[string]string // names of users by their ids
}

// unknownVerdict is the verdict on an id of which nothing is known.
const unknownVerdict event.Outcome = "unknown"

var errUnknownID = errors.New("no file of this id was ever seen here (--type collection, or points, explains others)")

// object is a stored one.
type object struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Run explains one file, by the way that an event would take, rolled back.
func (r *explainCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		bar := ctx.progressBar("searching")
		err := a.db.IndexFiles(ctx, []string{r.ID}, tableProgress(bar))
		_ = bar.Exit()
		if err != nil {
			return err
		}
		e, err := r.explainFile(ctx, a)
		if err != nil {
			return err
		}
		if ctx.isJSON() {
			err = ctx.printObject(e)
		} else {
			err = e.printText(ctx.command)
		}
		if err == nil && e.Verdict == unknownVerdict {
			err = fmt.Errorf("%w: %q", errUnknownID, e.ID)
		}
		return err
	}, openMigrated, openVectorStore, openByteStore)
}

func (r *explainCmd) explainFile(ctx *runContext, a *app) (*explanation, error) {
	e := &explanation{ID: r.ID, typ: r.eventType(), References: []repo.Mention{}, Vectors: []vectors.Collection{}, Bytes: []object{}, Ledger: []repo.Entry{}}
	tellers := []func(*runContext, *app) error{e.tellRow, e.tellStores, e.tellVerdict, e.tellPast}
	if e.typ != event.FileOrphaned {
		tellers = []func(*runContext, *app) error{e.tellMentions, e.tellVerdict, e.tellPast}
	}
	for _, tell := range tellers {
		if err := tell(ctx, a); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// tellRow tells what the database says.
func (e *explanation) tellRow(ctx *runContext, a *app) error {
	info, exists, err := a.db.DescribeFile(ctx, e.ID)
	if e.exists = exists; err != nil || !exists {
		return err
	}
	keeps, err := a.db.ListKeeps(ctx, []string{e.ID})
	if err != nil {
		return err
	}
	if len(keeps) > 0 {
		e.Keep = &keeps[0]
	}
	e.Path, e.Status, e.AgeS = info.Path, info.Status, math.Round(info.Age.Seconds())
	err = a.db.InTx(ctx, nil, func(tx repo.Tx) error {
		found, err := a.db.ListReferences(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		e.References = append(e.References, found...)
		locked, err := a.db.Lock(ctx, tx, []string{e.ID}, ctx.fileAges())
		for _, f := range locked.Files {
			if f.HasGrace {
				e.UnreferencedS = roundSeconds(f.UnreferencedFor)
			}
		}
		return err
	})
	e.tellNames(ctx, a)
	return err
}

// tellMentions tells what mentions a collection by its name.
func (e *explanation) tellMentions(ctx *runContext, a *app) error {
	err := a.db.InTx(ctx, nil, func(tx repo.Tx) error {
		found, err := a.db.ListReferences(ctx, tx, e.ID)
		e.References = append(e.References, found...)
		return err
	})
	e.tellNames(ctx, a)
	return err
}

// tellNames adds what people know the file, and what mentions it, by.
func (e *explanation) tellNames(ctx *runContext, a *app) {
	names := a.readLabels(ctx, []string{e.ID})
	label := names.files[e.ID]
	e.Filename, e.Owner, e.OwnerName, e.Size = label.Name, label.Owner, names.users[label.Owner], label.Size
	rows := map[string][]string{}
	for _, m := range e.References {
		if m.Title == "" && m.Owner == "" {
			rows[m.Table] = append(rows[m.Table], m.Row)
		}
	}
	titles := map[string]map[string]repo.RowLabel{}
	for table, keys := range rows {
		labels, err := a.db.LabelRows(ctx, table, keys)
		if err != nil {
			a.log.Warn().Err(err).Msg("rows are shown without their names")
		}
		titles[table] = labels
	}
	var owners []string
	for i := range e.References {
		m := &e.References[i]
		if label, named := titles[m.Table][m.Row]; named {
			m.Title, m.Owner = label.Title, label.Owner
		}
		owners = append(owners, m.Owner)
	}
	e.users = a.readUsers(ctx, owners)
}

// tellStores tells what lies outside the row.
func (e *explanation) tellStores(ctx *runContext, a *app) error {
	collections, err := a.store.Collections(ctx, e.ID)
	if err != nil {
		return err
	}
	e.Vectors = append(e.Vectors, collections...)
	found, err := a.blobs.Find(ctx, []string{e.ID})
	for _, blob := range found[e.ID] {
		e.Bytes = append(e.Bytes, object{Name: blob.Name, Size: blob.Size})
	}
	return err
}

// tellVerdict takes the way of an event, and rolls it back.
func (e *explanation) tellVerdict(ctx *runContext, a *app) error {
	transaction := ctx.newTransaction(a)
	transaction.DryRun = true
	about := event.NewOf(e.typ, e.ID, "pruned/explain", "")
	if err := about.Validate(); err != nil {
		return &config.UsageError{Err: err}
	}
	report, err := transaction.Run(ctx, []event.Delivery{{Event: about}})
	if err != nil {
		return err
	}
	result := report.Results[about.Key()]
	e.Verdict, e.Why = result.Outcome, result.Detail
	if e.Verdict == event.Kept && e.isLeftBehind() {
		e.Why += "; kept only by things of users who are gone (PRUNED_DEPARTED)"
	}
	switch result.Outcome {
	case event.Deleted, event.Gone, event.Young:
		e.DueInS = roundSeconds(result.RetryIn)
	}
	if e.exists && e.Verdict != event.Kept {
		return e.tellHold(ctx, a)
	}
	return nil
}

// tellHold tells that sweeps publish no event about the file until a person confirms.
func (e *explanation) tellHold(ctx *runContext, a *app) error {
	holds, err := a.db.ListHolds(ctx)
	at := slices.IndexFunc(holds, func(h repo.Hold) bool { return h.Direction == repo.FromRows })
	if at >= 0 {
		e.Held = &holds[at]
	}
	return err
}

// isLeftBehind says whether nobody can open any of what mentions the file.
func (e *explanation) isLeftBehind() bool {
	lives := slices.ContainsFunc(e.References, func(m repo.Mention) bool { return !m.Departed })
	return len(e.References) > 0 && !lives && e.Keep == nil
}

// tellPast tells what was deleted under an id that has no row any more.
func (e *explanation) tellPast(ctx *runContext, a *app) error {
	for entry, err := range a.db.ReadLedger(ctx, e.ID) {
		if err != nil {
			return err
		}
		e.Ledger = append(e.Ledger, entry)
	}
	if e.typ == event.FileOrphaned {
		trash, err := a.db.ListTrash(ctx, repo.TrashFilter{IDs: []string{e.ID}})
		if err != nil {
			return err
		}
		if len(trash) > 0 {
			e.Trash = &trash[0]
		}
	}
	switch n := len(e.Ledger); {
	case e.exists:
	case n > 0:
		last := e.Ledger[n-1]
		e.Why = fmt.Sprintf("it was deleted %s ago, because: %s", shortDuration(time.Since(last.At).Round(time.Second)), last.Reason)
	case e.typ != event.FileOrphaned: // the verdict says it all
	case len(e.Vectors)+len(e.Bytes) == 0:
		e.Verdict, e.DueInS = unknownVerdict, nil
		e.Why = "it was never seen: it has no row, no vectors, no bytes, and no line in the ledger (nor has a file that Open WebUI deleted itself)"
	}
	return nil
}

func roundSeconds(d time.Duration) *float64 {
	s := math.Round(d.Seconds())
	return &s
}
