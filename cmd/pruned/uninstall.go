package main

import (
	"cmp"
	"context"
	"errors"

	"pruned/consumer/embedded"
	"pruned/consumer/sweep"
	"pruned/repo"
	"pruned/vectors"
)

type uninstallCmd struct {
	Yes bool `help:"Really: the ledger, the trash, what is kept and the dead letters are lost; bytes that wait to be removed stay." required:""`
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
		left := ctx.describeLeft(ctx, a)
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
		return ctx.printDone("removed pruned's own tables, index and streams" + left)
	}, openDatabase, openVectorStore, openSharedQueue)
}

// describeLeft says what stays behind that nobody knows of without the tables. Where they
// are an older version's it may not be readable, which keeps nobody from removing them.
func (c *command) describeLeft(ctx context.Context, a *app) (text string) {
	has, err := a.db.HasOwnTables(ctx)
	if err == nil && has {
		var waiting repo.Backlog
		waiting, err = a.db.Backlog(ctx, repo.AllKinds...)
		if waiting.Count > 0 {
			text = "; " + sweep.FormatCount(waiting.Count, "removals of bytes or vectors") + " waited and are forgotten: what they meant stays, and a later installation's sweeps find it"
		}
	}
	if err != nil {
		a.log.Warn().Err(err).Msg("what still waits to be removed is not known")
	}
	if c.cli.Queue.IsEmbedded() {
		text += "; the folder " + c.cli.Queue.DataDir + " is not needed any more"
	}
	return text
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
