package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

type demoCmd struct {
	Files   int `default:"10000" help:"Files."`
	Orphans int `default:"3000" help:"How many of them nothing uses."`
}

// Run makes an installation whose orphans are known, reports every file, drains
// before your eyes, and compares what is left with what it knows.
func (c *demoCmd) Run(ctx context.Context) (err error) {
	fmt.Println("Installing what is missing: PostgreSQL with pgvector, and Open WebUI's own migrations (once, cached) ...")
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	fmt.Printf("Making an Open WebUI database with %d files, %d of them orphans, each with vectors and bytes ...\n", c.Files, c.Orphans)
	w, err := l.seed(ctx, testenv.SeedOptions{
		Files: c.Files, Orphans: c.Orphans, ChunksPerFile: 5, ChatBytes: 4000, Vectors: testenv.VectorOptions{Dim: 384},
	}, true)
	if err != nil {
		return err
	}
	before, err := w.tally(ctx)
	if err != nil {
		return err
	}
	fmt.Println("Reporting that every single file may be an orphan ...")
	ids := slices.Concat(w.Orphans, w.InUse)
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	if err := w.publish(ctx, ids); err != nil {
		return err
	}
	fmt.Println("pruned run --drain")
	out, r, err := w.pruned(ctx, nil, os.Stderr, nil, "run", "--drain")
	if err != nil {
		return err
	}
	fmt.Println(string(out))
	return c.compare(ctx, w, before, r.wall)
}

// tally is what an installation holds.
type tally struct{ rows, chunks, files, bytes int64 }

func (w *world) tally(ctx context.Context) (t tally, err error) {
	if t.rows, err = w.count(ctx, `SELECT count(*) FROM file`); err != nil {
		return t, err
	}
	if t.chunks, err = w.count(ctx, `SELECT count(*) FROM document_chunk`); err != nil {
		return t, err
	}
	entries, err := os.ReadDir(w.uploads())
	if err != nil {
		return t, err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue // the mark that the program leaves
		}
		info, err := entry.Info()
		if err != nil {
			return t, err
		}
		t.files++
		t.bytes += info.Size()
	}
	return t, nil
}

// compare fails if anything differs from what is known.
func (c *demoCmd) compare(ctx context.Context, w *world, before tally, took time.Duration) error {
	after, err := w.tally(ctx)
	if err != nil {
		return err
	}
	if err := table("What became of it", []string{"", "before", "deleted", "left"}, [][]string{
		{"rows of table file", fmt.Sprint(before.rows), fmt.Sprint(before.rows - after.rows), fmt.Sprint(after.rows)},
		{"vectors", fmt.Sprint(before.chunks), fmt.Sprint(before.chunks - after.chunks), fmt.Sprint(after.chunks)},
		{"files of bytes", fmt.Sprint(before.files), fmt.Sprint(before.files - after.files), fmt.Sprint(after.files)},
	}); err != nil {
		return err
	}
	if err := w.why(ctx); err != nil {
		return err
	}
	fmt.Printf("\n%d events in %.1fs from start to exit: %.0f events/s, %.0f files deleted/s\n",
		c.Files, took.Seconds(), float64(c.Files)/took.Seconds(), float64(c.Orphans)/took.Seconds())
	var left []string
	if err := w.connected(ctx, func(conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, `SELECT id FROM file ORDER BY id`)
		var err error
		left, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}); err != nil {
		return err
	}
	if !slices.Equal(left, slices.Sorted(slices.Values(w.InUse))) {
		return fmt.Errorf("the rows that are left are not the %d files in use", len(w.InUse))
	}
	if after.files != int64(len(w.InUse)) {
		return fmt.Errorf("%d files of bytes are left: wanted %d", after.files, len(w.InUse))
	}
	orphaned, err := w.count(ctx, `SELECT count(*) FROM document_chunk WHERE vmetadata ->> 'file_id' = ANY ($1)`, w.Orphans)
	if err == nil && orphaned > 0 {
		err = fmt.Errorf("%d vectors of orphans are left", orphaned)
	}
	if err == nil {
		fmt.Println("Exactly the files in use are left, with their vectors and bytes; nothing else is.")
	}
	return err
}

// why prints what keeps the files that were kept: one of each kind, explained.
func (w *world) why(ctx context.Context) error {
	var rows [][]string
	seen := map[string]bool{}
	for i := 0; i < len(w.InUse) && i < 40; i++ {
		out, _, err := w.pruned(ctx, nil, nil, nil, "explain", w.InUse[i], "--output", "json")
		if err != nil {
			return err
		}
		var e struct {
			ID, Verdict, Why string
			References       []struct{ Table, Column, Path string }
		}
		if err := json.Unmarshal(out, &e); err != nil {
			return err
		}
		if len(e.References) == 0 || seen[e.References[0].Table] {
			continue
		}
		first := e.References[0]
		seen[first.Table] = true
		rows = append(rows, []string{e.ID, e.Verdict, first.Table + "." + first.Column, first.Path})
	}
	return table("Some of those that were kept, and why (pruned explain)", []string{"file", "verdict", "mentioned in", "path"}, rows)
}
