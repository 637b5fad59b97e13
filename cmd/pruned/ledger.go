package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"pruned/repo"
)

type ledgerCmd struct {
	ID string `arg:"" optional:"" help:"Only this file."`
}

var errNoLine = errors.New("the ledger has no line about file")

// Run prints the ledger. That it says nothing of one file is a failure.
func (r *ledgerCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		lines, err := r.printEntries(ctx, a)
		if err == nil && lines == 0 && r.ID != "" {
			err = fmt.Errorf("%w %q", errNoLine, r.ID)
		}
		return err
	}, openMigrated)
}

func (r *ledgerCmd) printEntries(ctx *runContext, a *app) (lines int, err error) {
	if ctx.isJSON() {
		return r.streamEntries(ctx, a)
	}
	var failed error
	err = ctx.printTable(func(line func(...any)) {
		line("AT", "OUTCOME", "FILE", "PATH", "SOURCE", "REASON", "EVENT", "NOTE")
		var e repo.Entry
		for e, failed = range a.db.ReadLedger(ctx, r.ID) {
			if failed != nil {
				return
			}
			lines++
			line(e.At.Format(time.RFC3339), e.Outcome, e.FileID, e.Path, e.Source, e.Reason, e.EventID, e.Note)
		}
	})
	return lines, cmp.Or(failed, err)
}

// streamEntries prints one list on one line without holding it: a ledger may be long.
func (r *ledgerCmd) streamEntries(ctx *runContext, a *app) (lines int, err error) {
	entries := newJSONList(ctx.stdout)
	for entry, failed := range a.db.ReadLedger(ctx, r.ID) {
		if failed == nil {
			entries.appendValue(entry)
		}
		if err = cmp.Or(failed, entries.err); err != nil {
			break
		}
	}
	return entries.n, cmp.Or(err, entries.closeList("\n"))
}
