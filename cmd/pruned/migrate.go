package main

import (
	"errors"
	"fmt"

	"pruned/consumer/embedded"
	"pruned/vectors/pgvector"
)

type migrateCmd struct {
	Indexes bool `help:"Also make the index by which chunks of a file are found in knowledge bases (CREATE INDEX CONCURRENTLY)."`
}

// Run brings our own tables up to date.
func (r *migrateCmd) Run(ctx *runContext) error {
	makers := []maker{migrated}
	if r.Indexes {
		makers = append(makers, vectorStore)
	}
	return ctx.with(ctx, func(p *parts) error {
		done := "pruned's own tables are up to date"
		switch store, ok := p.store.(*pgvector.Store); {
		case ok:
			if err := store.Index(ctx); err != nil {
				return err
			}
			done += ", and so is the index on document_chunk"
		case r.Indexes:
			done += ", and this vector store needs no index"
		}
		return ctx.say(done)
	}, makers...)
}

// say prints that something was done.
func (c *command) say(what string) error {
	if c.json() {
		return c.object(map[string]string{"done": what})
	}
	_, err := fmt.Fprintln(c.stdout, what)
	return err
}

type uninstallCmd struct {
	Yes bool `help:"Really: the ledger and the dead letters are lost." required:""`
}

var errStillRuns = errors.New("a pruned process still works with this installation, and would fail for ever without its tables and streams: stop it first")

// Run removes what is ours: streams, index, tables. Beside a process that works with
// them it removes nothing.
func (uninstallCmd) Run(ctx *runContext) error {
	if queue := ctx.cli.Queue; queue.Embedded() {
		if running, err := embedded.Running(queue.DataDir); err != nil || running {
			return firstError(err, errStillRuns)
		}
	}
	return ctx.with(ctx, func(p *parts) error {
		if consumed, err := p.queue.Consumed(ctx); err != nil || consumed {
			return firstError(err, errStillRuns)
		}
		if err := p.queue.Remove(ctx); err != nil {
			return err
		}
		if store, ok := p.store.(*pgvector.Store); ok {
			if err := store.DropIndex(ctx); err != nil {
				return err
			}
		}
		if err := p.db.Uninstall(ctx); err != nil {
			return err
		}
		return ctx.say("removed pruned's own tables, index and streams")
	}, database, vectorStore, sharedQueue)
}
