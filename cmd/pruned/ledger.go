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
		failed = r.eachEntry(ctx, a, func(e repo.Entry) error {
			lines++
			line(e.At.Format(time.RFC3339), e.Outcome, e.FileID, e.Path, e.Source, e.Reason, e.EventID, e.Note)
			return nil
		})
	})
	return lines, cmp.Or(failed, err)
}

func (r *ledgerCmd) eachEntry(ctx *runContext, a *app, yield func(repo.Entry) error) error {
	for entry, err := range a.db.ReadLedger(ctx, r.ID) {
		if err != nil {
			return err
		}
		if err := yield(entry); err != nil {
			return err
		}
	}
	return nil
}

// streamEntries prints one list on one line without holding it: a ledger may be long.
func (r *ledgerCmd) streamEntries(ctx *runContext, a *app) (lines int, err error) {
	entries := &jsonList{out: ctx.stdout}
	err = r.eachEntry(ctx, a, func(e repo.Entry) error {
		entries.appendValue(e)
		return entries.err
	})
	return entries.n, cmp.Or(err, entries.closeList())
}
