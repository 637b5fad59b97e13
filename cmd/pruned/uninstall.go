package main

import (
	"cmp"
	"errors"

	"pruned/consumer/embedded"
	"pruned/repo"
	"pruned/vectors"
)

type uninstallCmd struct {
	Yes bool `help:"Really: the ledger and the dead letters are lost." required:""`
}

var errStillRuns = errors.New("a pruned process still works with this installation, and would fail for ever without its tables and streams: stop it first")

// Run removes what is ours: marks, streams, index, tables. Beside a process that works
// with them it removes nothing.
func (uninstallCmd) Run(ctx *runContext) error {
	if queue := ctx.cli.Queue; queue.IsEmbedded() {
		if running, err := embedded.Running(queue.DataDir); err != nil || running {
			return cmp.Or(err, errStillRuns)
		}
	}
	used := newFolderLock(ctx.cli.Storage.UploadDir())
	if others, err := used.isUsedByOthers(); err != nil || others {
		return cmp.Or(err, errStillRuns)
	}
	defer func() { _ = used.unlock() }()
	return ctx.runWith(ctx, func(a *app) error {
		if consumed, err := a.queue.IsConsumed(ctx); err != nil || consumed {
			return cmp.Or(err, errStillRuns)
		}
		if err := ctx.removeMarks(a); err != nil {
			return err
		}
		if err := a.queue.Remove(ctx); err != nil {
			return err
		}
		if store, ok := a.store.(vectors.Indexer); ok {
			if err := store.DropIndex(ctx); err != nil {
				return err
			}
		}
		if err := a.db.Uninstall(ctx); err != nil {
			return err
		}
		return ctx.printDone("removed pruned's own tables, index and streams")
	}, openDatabase, openVectorStore, openSharedQueue)
}

// removeMarks removes this installation's marks from its folders: another identity, as one
// may have after the next installation, would find them another's. It comes before the
// tables, by which the identity is known.
func (c *command) removeMarks(a *app) error {
	key := a.db.Identity().Key
	for _, mark := range []*repo.Mark{{Dir: c.cli.Storage.UploadDir()}, repo.StoreInfo(a.store.Info()).Mark()} {
		if mark == nil {
			continue
		}
		if err := mark.Remove(key); err != nil {
			return err
		}
	}
	return nil
}
