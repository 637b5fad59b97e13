package main

import (
	"errors"

	"pruned/consumer/embedded"
	"pruned/repo"
	"pruned/vectors/pgvector"
)

type uninstallCmd struct {
	Yes bool `help:"Really: the ledger and the dead letters are lost." required:""`
}

var errStillRuns = errors.New("a pruned process still works with this installation, and would fail for ever without its tables and streams: stop it first")

// Run removes what is ours: marks, streams, index, tables. Beside a process that works
// with them it removes nothing.
func (uninstallCmd) Run(ctx *runContext) error {
	if queue := ctx.cli.Queue; queue.Embedded() {
		if running, err := embedded.Running(queue.DataDir); err != nil || running {
			return firstError(err, errStillRuns)
		}
	}
	used := useOf(ctx.cli.Storage.Uploads())
	if others, err := used.others(); err != nil || others {
		return firstError(err, errStillRuns)
	}
	defer func() { _ = used.end() }()
	return ctx.with(ctx, func(p *parts) error {
		if consumed, err := p.queue.IsConsumed(ctx); err != nil || consumed {
			return firstError(err, errStillRuns)
		}
		if err := ctx.unmark(p); err != nil {
			return err
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

// unmark removes this installation's marks from its folders: another identity, as one
// may have after the next installation, would find them another's. It comes before the
// tables, by which the identity is known.
func (c *command) unmark(p *parts) error {
	key := p.db.Identity().Key
	for _, mark := range []*repo.Mark{{Dir: c.cli.Storage.Uploads()}, p.storeInfo.Mark} {
		if mark == nil {
			continue
		}
		if err := mark.Remove(key); err != nil {
			return err
		}
	}
	return nil
}
