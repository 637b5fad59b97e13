package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"pruned/repo/repotest"
	"pruned/repo/repotest/openwebui"
)

const (
	folderOrphans = 10_000
	folderInUse   = 2_000
	folderChats   = 80_000
	chatBytes     = 12 << 10 // 80,000 of them are a webui.db of 1 GB
	alone         = 15 * time.Second
)

// sqlite measures the drain of a data folder: its rate alone, what an application
// that writes to the same two databases waits for it, and the application's own
// way to delete files one by one; each on a copy of the same data.
func (b *bench) sqlite(ctx context.Context) error {
	origin, err := b.origin(ctx)
	if err != nil {
		return err
	}
	fast, err := b.folderAlone(ctx, origin)
	if err != nil {
		return err
	}
	before, beside, slow, err := b.folderBeside(ctx, origin)
	if err != nil {
		return err
	}
	each, err := b.folderByHand(ctx, origin)
	if err != nil {
		return err
	}
	size, err := os.Stat(origin.webui())
	if err != nil {
		return err
	}
	orphans := float64(len(origin.Orphans))
	own := float64(each.Deleted-1) / each.Seconds
	rate := func(name string, files int, perSecond float64, peak string) []string {
		return []string{name, fmt.Sprint(files), fmt.Sprintf("%.0f", perSecond), fmt.Sprintf("%.1f", perSecond/own), peak}
	}
	if err := table(fmt.Sprintf("SQLite and embedded Chroma: %.0f orphans mixed with %d files in use, 3 chunks of 384 dimensions a file, a webui.db of %d MB",
		orphans, len(origin.InUse), size.Size()>>20), []string{"", "orphans", "files/s", "of one by one", "peak memory"}, [][]string{
		rate("the application's own calls, one by one, without its start", each.Deleted, own, ""),
		rate("pruned, from start to exit", fast.Deleted, orphans/fast.wall.Seconds(), fmt.Sprintf("%.0f MB", fast.peakMB)),
		rate("pruned, beside an application that writes all the time", slow.Deleted, orphans/slow.wall.Seconds(), fmt.Sprintf("%.0f MB", slow.peakMB)),
	}); err != nil {
		return err
	}
	line := func(name string, w *writer) []string {
		ms := func(list []time.Duration, q float64) string { return fmt.Sprintf("%.1f", quantile(list, q)) }
		return []string{name, fmt.Sprint(len(w.took)), ms(w.waited, 0.5), ms(w.waited, 0.99), ms(w.waited, 1), ms(w.took, 0.5), ms(w.took, 0.99), ms(w.took, 1)}
	}
	return table("What that application waits for, in ms: for a lock that somebody else has; and for its write in all, with the disk",
		[]string{"", "writes", "lock: median", "99 %", "longest", "write: median", "99 %", "longest"}, [][]string{
			line("webui.db, without pruned", before[0]), line("webui.db, beside pruned", beside[0]),
			line("chroma.sqlite3, without pruned", before[1]), line("chroma.sqlite3, beside pruned", beside[1]),
		})
}

// origin is a seeded folder, or the one that was kept from an earlier run.
func (b *bench) origin(ctx context.Context) (*folder, error) {
	form := chunkForm{perFile: 3, dim: 384, words: wordsOfAChunk}
	if b.folder != "" {
		if f, err := b.kept(form); !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	f, err := b.seedFolder(ctx, repotest.SeedOptions{
		Files: (folderOrphans + folderInUse) / b.shrink, Orphans: folderOrphans / b.shrink, ChunksPerFile: form.perFile,
		Vectors: repotest.VectorOptions{Dim: form.dim}, Chats: folderChats / b.shrink, ChatBytes: chatBytes, FileBytes: 3000,
	}, form.words)
	if err != nil || b.folder == "" {
		return f, err
	}
	return f, f.keep(b.folder)
}

// folderByHand deletes some orphans of a copy by the application's own calls.
func (b *bench) folderByHand(ctx context.Context, origin *folder) (each openwebui.PerFile, err error) {
	f, err := origin.copy()
	if err != nil {
		return each, err
	}
	each, err = openwebui.DeleteEach(ctx, openwebui.Options{DataDir: f.dir, VectorDB: openwebui.Chroma}, f.sample())
	return each, errors.Join(err, os.RemoveAll(f.dir))
}

// folderAlone drains a copy that nobody else uses.
func (b *bench) folderAlone(ctx context.Context, origin *folder) (r ran, err error) {
	f, err := origin.copy()
	if err != nil {
		return r, err
	}
	if r, err = f.drainAll(ctx); err != nil {
		return r, err
	}
	return r, os.RemoveAll(f.dir)
}

// folderBeside drains a copy whose databases are written to, for a while before
// and meanwhile.
func (b *bench) folderBeside(ctx context.Context, origin *folder) (before, beside []*writer, r ran, err error) {
	f, err := origin.copy()
	if err != nil {
		return nil, nil, r, err
	}
	before = f.writers()
	if err := whileWriting(ctx, before, func(ctx context.Context) error { pause(ctx, alone/time.Duration(b.shrink)); return nil }); err != nil {
		return nil, nil, r, err
	}
	beside = f.writers()
	err = whileWriting(ctx, beside, func(ctx context.Context) error {
		r, err = f.drainAll(ctx)
		return err
	})
	return before, beside, r, errors.Join(err, os.RemoveAll(f.dir))
}

// whileWriting has writers write while fn runs.
func whileWriting(ctx context.Context, writers []*writer, fn func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	writing, stop := context.WithCancel(ctx)
	defer stop()
	for _, w := range writers {
		group.Go(func() error { return w.run(writing) })
	}
	err := fn(ctx)
	stop()
	return errors.Join(err, group.Wait())
}

// writers write a row that the application writes with every message, and one that
// Chroma writes with every transaction.
func (f *folder) writers() []*writer {
	return []*writer{
		{path: f.webui(), statement: "UPDATE chat SET updated_at = updated_at + 1 WHERE id = (SELECT min(id) FROM chat)"},
		{path: f.chroma(), statement: "UPDATE acquire_write SET lock_status = 1 - lock_status WHERE id = 1"},
	}
}

// drainAll claims every file, and drains.
func (f *folder) drainAll(ctx context.Context) (r ran, err error) {
	ids := slices.Concat(f.Orphans, f.InUse)
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	if err := f.publish(ctx, ids); err != nil {
		return r, err
	}
	if r, err = f.drain(ctx); err != nil {
		return r, err
	}
	p := &promises{installation: f.installation, counted: f}
	if r.Deleted != len(f.Orphans) || r.Kept != len(f.InUse) {
		return r, fmt.Errorf("the drain deleted %d and kept %d of %d files of which %d are orphans", r.Deleted, r.Kept, len(ids), len(f.Orphans))
	}
	return r, errors.Join(p.sound(ctx), p.nothingLeft(ctx))
}

// sample are orphans, enough to measure what each takes when they go one by one.
func (f *folder) sample() []string { return f.Orphans[:len(f.Orphans)/5] }

// copy makes a folder with the same data.
func (f *folder) copy() (*folder, error) {
	i, err := f.install()
	if err != nil {
		return nil, err
	}
	i.Seeded = f.Seeded
	return &folder{i, f.form}, copyFolder(f.dir, i.dir)
}

// copyFolder replaces a folder.
func copyFolder(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

// seededFile tells what a kept folder holds, beside it.
func seededFile(dir string) string { return dir + ".json" }

// keep copies the folder for the next run.
func (f *folder) keep(dir string) error {
	if err := copyFolder(f.dir, dir); err != nil {
		return err
	}
	text, err := json.Marshal(f.Seeded)
	if err != nil {
		return err
	}
	return os.WriteFile(seededFile(dir), text, 0o644)
}

// kept is a folder that was kept. It is only ever copied.
func (b *bench) kept(form chunkForm) (*folder, error) {
	text, err := os.ReadFile(seededFile(b.folder))
	if err != nil {
		return nil, err
	}
	f := &folder{&installation{lab: b.lab, Seeded: &repotest.Seeded{}, dir: b.folder}, form}
	return f, json.Unmarshal(text, f.Seeded)
}
