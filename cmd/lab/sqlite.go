package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"pruned/consumer/loop"
	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

const (
	folderOrphans = 10_000
	folderInUse   = 2_000
	folderChats   = 80_000
	chatBytes     = 12 << 10 // 80,000 of them are a webui.db of 1 GB
	undisturbed   = 15 * time.Second
)

// folderRuns are what became of copies of one folder.
type folderRuns struct {
	*folder
	undisturbed    time.Duration
	alone, beside  ran
	before, during []*writer // of each database
	byHand         openwebui.PerFile
}

// measureSQLite measures the drain of a data folder: its rate alone, what an application
// that writes to the same two databases waits for it, and the application's own
// way to delete files one by one; each on a copy of the same data.
func (b *bench) measureSQLite(ctx context.Context) (err error) {
	r := &folderRuns{undisturbed: undisturbed / time.Duration(b.shrink)}
	r.folder, err = b.seedFolder(ctx, folderSeed{words: wordsOfAChunk, sharedEvery: 10, SeedOptions: testenv.SeedOptions{
		Files: (folderOrphans + folderInUse) / b.shrink, Orphans: folderOrphans / b.shrink, ChunksPerFile: 3,
		Vectors: testenv.VectorOptions{Dim: 384}, Chats: folderChats / b.shrink, ChatBytes: chatBytes, FileBytes: 3000,
	}})
	if err != nil {
		return err
	}
	for _, on := range []func(context.Context, *folder) error{r.runAlone, r.runBeside, r.runByHand} {
		f, err := r.copyFolder()
		if err != nil {
			return err
		}
		if err := errors.Join(on(ctx, f), os.RemoveAll(f.dir)); err != nil {
			return err
		}
	}
	return errors.Join(r.showRates(), r.showWaits())
}

func (r *folderRuns) showRates() error {
	size, err := os.Stat(r.webui())
	if err != nil {
		return err
	}
	own := float64(r.byHand.Deleted-1) / r.byHand.Seconds
	row := func(name string, files int, rate float64, memory string) []string {
		return []string{name, fmt.Sprint(files), fmt.Sprintf("%.0f", rate), fmt.Sprintf("%.1f", rate/own), memory}
	}
	drain := func(name string, r ran) []string {
		return row(name, r.Deleted, float64(r.Deleted)/r.wall.Seconds(), fmt.Sprintf("%.0f MB", r.peakMB))
	}
	return printTable(fmt.Sprintf("SQLite and embedded Chroma: %d orphans mixed with %d files in use, %d chunks of %d dimensions a file, a webui.db of %d MB",
		len(r.Orphans), len(r.InUse), r.form.perFile, r.form.dim, size.Size()>>20),
		[]string{"", "orphans", "files/s", "of one by one", "peak memory"}, [][]string{
			row("the application's own calls, one by one, without its start", r.byHand.Deleted, own, ""),
			drain("pruned, from start to exit", r.alone),
			drain("pruned, beside an application that writes all the time", r.beside),
		})
}

func (r *folderRuns) showWaits() error {
	row := func(name string, w *writer) []string {
		ms := func(list []time.Duration, q float64) string { return fmt.Sprintf("%.1f", quantile(list, q)) }
		return []string{name, fmt.Sprint(len(w.took)), ms(w.waited, 0.5), ms(w.waited, 0.99), ms(w.waited, 1), ms(w.took, 0.5), ms(w.took, 0.99), ms(w.took, 1)}
	}
	return printTable("What that application waits for, in ms: for a lock that somebody else has; and for its write in all, with the disk",
		[]string{"", "writes", "lock: median", "99 %", "longest", "write: median", "99 %", "longest"}, [][]string{
			row("webui.db, without pruned", r.before[0]), row("webui.db, beside pruned", r.during[0]),
			row("chroma.sqlite3, without pruned", r.before[1]), row("chroma.sqlite3, beside pruned", r.during[1]),
		})
}

// runAlone drains a folder that nobody else uses.
func (r *folderRuns) runAlone(ctx context.Context, f *folder) (err error) {
	if err := f.publishEvents(ctx, f.shuffledIDs()); err != nil {
		return err
	}
	if r.alone, err = f.drainAll(ctx); err != nil {
		return err
	}
	return f.checkDrained(ctx)
}

// runBeside drains a folder whose databases are written to, for a while before and
// meanwhile.
func (r *folderRuns) runBeside(ctx context.Context, f *folder) error {
	r.before, r.during = f.newWriters(), f.newWriters()
	if err := whileWriting(ctx, r.before, func(ctx context.Context) error { loop.Sleep(ctx, r.undisturbed); return nil }); err != nil {
		return err
	}
	if err := f.publishEvents(ctx, f.shuffledIDs()); err != nil {
		return err
	}
	if err := whileWriting(ctx, r.during, func(ctx context.Context) (err error) {
		r.beside, err = f.drainAll(ctx)
		return err
	}); err != nil {
		return err
	}
	return f.checkDrained(ctx)
}

// runByHand deletes some orphans by the application's own calls: enough to measure what
// each takes when they go one by one.
func (r *folderRuns) runByHand(ctx context.Context, f *folder) (err error) {
	r.byHand, err = openwebui.DeleteEach(ctx, openwebui.Options{DataDir: f.dir, VectorDB: openwebui.Chroma}, f.Orphans[:len(f.Orphans)/5])
	return err
}

// whileWriting has writers write while fn runs.
func whileWriting(ctx context.Context, writers []*writer, fn func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	writing, stop := context.WithCancel(ctx)
	defer stop()
	for _, w := range writers {
		group.Go(func() error { return w.writeUntil(writing) })
	}
	err := fn(ctx)
	stop()
	return errors.Join(err, group.Wait())
}

// newWriters write a row that the application writes with every message, and one that
// Chroma writes with every transaction.
func (f *folder) newWriters() []*writer {
	return []*writer{
		{path: f.webui(), statement: "UPDATE chat SET updated_at = updated_at + 1 WHERE id = (SELECT min(id) FROM chat)"},
		{path: f.chroma(), statement: "UPDATE acquire_write SET lock_status = 1 - lock_status WHERE id = 1"},
	}
}

// checkDrained checks what a drain has left.
func (f *folder) checkDrained(ctx context.Context) error {
	p := &promises{installation: f.installation, counted: f}
	return errors.Join(p.checkSound(ctx), p.checkNothingLeft(ctx))
}

// copyFolder makes a folder with the same data.
func (f *folder) copyFolder() (*folder, error) {
	i, err := f.makeInstallation()
	if err != nil {
		return nil, err
	}
	i.Seeded = f.Seeded
	return &folder{i, f.form}, errors.Join(os.RemoveAll(i.dir), os.CopyFS(i.dir, os.DirFS(f.dir)))
}
