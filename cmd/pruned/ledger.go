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
	return ctx.with(ctx, func(p *parts) error {
		lines, err := r.print(ctx, p)
		if err == nil && lines == 0 && r.ID != "" {
			err = fmt.Errorf("%w %q", errNoLine, r.ID)
		}
		return err
	}, migrated)
}

func (r *ledgerCmd) print(ctx *runContext, p *parts) (lines int, err error) {
	if ctx.json() {
		return r.stream(ctx, p)
	}
	var failed error
	err = ctx.table(func(line func(...any)) {
		line("AT", "OUTCOME", "FILE", "PATH", "SOURCE", "REASON", "EVENT", "NOTE")
		failed = r.each(ctx, p, func(e repo.Entry) error {
			lines++
			line(e.At.Format(time.RFC3339), e.Outcome, e.FileID, e.Path, e.Source, e.Reason, e.EventID, e.Note)
			return nil
		})
	})
	return lines, cmp.Or(failed, err)
}

func (r *ledgerCmd) each(ctx *runContext, p *parts, yield func(repo.Entry) error) error {
	for entry, err := range p.db.Ledger(ctx, r.ID) {
		if err != nil {
			return err
		}
		if err := yield(entry); err != nil {
			return err
		}
	}
	return nil
}

// stream prints one list on one line without holding it: a ledger may be long.
func (r *ledgerCmd) stream(ctx *runContext, p *parts) (lines int, err error) {
	entries := &list{out: ctx.stdout}
	err = r.each(ctx, p, func(e repo.Entry) error {
		entries.add(e)
		return entries.err
	})
	return entries.n, cmp.Or(err, entries.end())
}
