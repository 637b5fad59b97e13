package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
)

type ledgerCmd struct {
	listFlags
	ID string `arg:"" optional:"" help:"Only this file."`
}

var errNoLine = errors.New("the ledger has no line about file")

// Run prints the ledger. That it says nothing of one file is a failure.
func (r *ledgerCmd) Run(ctx *runContext) error {
	since, err := r.parseSince()
	if err != nil {
		return err
	}
	return ctx.runWith(ctx, func(a *app) error {
		lines, err := r.printEntries(ctx, a, since)
		if err == nil && lines == 0 && r.ID != "" {
			err = fmt.Errorf("%w %q", errNoLine, r.ID)
		}
		return err
	}, openMigrated)
}

// printEntries prints the newest of them, the newest last. Without a limit the lists for
// programs are printed as they come: a ledger may be long.
func (r *ledgerCmd) printEntries(ctx *runContext, a *app, since time.Time) (lines int, err error) {
	limit := ctx.limitFor(r.Limit)
	if limit == 0 && !ctx.isTable() {
		return r.streamEntries(ctx, a, since)
	}
	last := newLastOf[repo.Entry](limit)
	for entry, err := range a.db.ReadLedger(ctx, r.ID) {
		if err != nil {
			return 0, err
		}
		if !entry.At.Before(since) {
			last.add(entry, group{entry.Outcome, entry.Reason})
		}
	}
	switch {
	case ctx.isTable():
		return last.total, ctx.printLedger(last, a.markTrash(ctx, last.list()))
	case ctx.isJSON():
		return last.total, ctx.printObject(last.list())
	}
	for _, entry := range last.list() {
		fmt.Fprintln(ctx.stdout, entry.FileID)
	}
	return last.total, nil
}

// streamEntries prints one list on one line, or an id a line, without holding it.
func (r *ledgerCmd) streamEntries(ctx *runContext, a *app, since time.Time) (lines int, err error) {
	entries := newJSONList(ctx.stdout)
	for entry, failed := range a.db.ReadLedger(ctx, r.ID) {
		switch {
		case failed != nil || entry.At.Before(since):
		case ctx.isJSON():
			entries.appendValue(entry)
		default:
			entries.n++
			fmt.Fprintln(ctx.stdout, entry.FileID)
		}
		if err = cmp.Or(failed, entries.err); err != nil {
			break
		}
	}
	if ctx.isJSON() {
		err = cmp.Or(err, entries.closeList("\n"))
	}
	return entries.n, err
}

// markTrash tells of files that can be restored, by their ids. Lines are shown without that
// where it cannot be read.
func (a *app) markTrash(ctx context.Context, entries []repo.Entry) map[string]repo.Trashed {
	ids := make([]string, len(entries))
	for i, entry := range entries {
		ids[i] = entry.FileID
	}
	trash := map[string]repo.Trashed{}
	if len(ids) == 0 {
		return trash
	}
	list, err := a.db.ListTrash(ctx, repo.TrashFilter{IDs: ids})
	if err != nil {
		a.log.Warn().Err(err).Msg("what is in the trash is not told")
	}
	for _, entry := range list {
		trash[entry.FileID] = entry
	}
	return trash
}

// describeNote is the note of a line, and how long what it is about can be taken back: the
// line of the transaction that put it into the trash, and none before.
func describeNote(e repo.Entry, trash map[string]repo.Trashed) string {
	kept, found := trash[e.FileID]
	if !found || e.Outcome != string(event.Deleted) || e.At.Before(kept.At) {
		return e.Note
	}
	text := "in the trash for " + timeLeft(kept)
	if e.Note == "" {
		return text
	}
	return e.Note + "; " + text
}

// printLedger prints how many lines there are of each kind, and then the lines.
func (c *command) printLedger(last *lastOf[repo.Entry], trash map[string]repo.Trashed) error {
	header := []any{"AT", "OUTCOME", "NAME", "REASON", "FILE"}
	if c.isWide() {
		header = append(header, "SOURCE", "EVENT", "PATH")
	}
	return printLast(c, last, append(header, "NOTE"), func(e repo.Entry) []any {
		cells := []any{e.At.Local().Format(time.DateTime), e.Outcome, c.showName(objectTitle(e.Path)), c.showName(e.Reason), printableText(e.FileID, 0)}
		if c.isWide() {
			cells = append(cells, printableText(e.Source, 0), printableText(e.EventID, 0), printableText(e.Path, 0))
		}
		return append(cells, describeNote(e, trash))
	})
}
