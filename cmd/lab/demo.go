package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"pruned/repo/testenv"
)

type demoCmd struct{}

const (
	demoFiles   = 10000
	demoOrphans = 3000
)

// Run makes an installation whose orphans are known, reports every file, drains
// before your eyes, and compares what is left with what it knows.
func (demoCmd) Run(ctx context.Context, l *lab) error {
	fmt.Println("Installing what is missing: PostgreSQL with pgvector, and Open WebUI's own migrations (once, cached) ...")
	fmt.Printf("Making an Open WebUI database with %d files, %d of them orphans, each with vectors and bytes ...\n", demoFiles, demoOrphans)
	w, err := l.seedWorld(ctx, testenv.SeedOptions{
		Files: demoFiles, Orphans: demoOrphans, ChunksPerFile: 5, ChatBytes: 4000, Vectors: testenv.VectorOptions{Dim: 384},
	}, true)
	if err != nil {
		return err
	}
	p, err := newPromises(ctx, w.installation, w)
	if err != nil {
		return err
	}
	ids := w.shuffledIDs()
	before, err := p.countAll(ctx, ids)
	if err != nil {
		return err
	}
	fmt.Println("Reporting that every single file may be an orphan ...")
	if err := w.publishEvents(ctx, ids); err != nil {
		return err
	}
	fmt.Println("pruned run --drain")
	out, r, err := w.runProgram(ctx, nil, os.Stderr, nil, "run", "--drain")
	if err != nil {
		return err
	}
	fmt.Println(string(out))
	after, err := p.countAll(ctx, ids)
	if err != nil {
		return err
	}
	return errors.Join(showHeld(before, after), w.explainKept(ctx), p.showVerdict(ctx, r.wall))
}

// showHeld shows what an installation held before, and holds now.
func showHeld(before, after held) error {
	row := func(name string, before, after int64) []string {
		return []string{name, fmt.Sprint(before), fmt.Sprint(before - after), fmt.Sprint(after)}
	}
	return printTable("What became of it", []string{"", "before", "deleted", "left"}, [][]string{
		row("rows of table file", before.rows, after.rows),
		row("vectors", before.chunks+before.shared, after.chunks+after.shared),
		row("files of bytes", before.bytes, after.bytes),
	})
}

// showVerdict fails if anything differs from what is known.
func (p *promises) showVerdict(ctx context.Context, took time.Duration) error {
	fmt.Printf("\n%d events in %.1fs from start to exit: %.0f events/s, %.0f files deleted/s\n",
		demoFiles, took.Seconds(), demoFiles/took.Seconds(), demoOrphans/took.Seconds())
	if err := errors.Join(p.checkNothingLost(ctx), p.checkNothingLeft(ctx)); err != nil {
		return err
	}
	fmt.Println("Exactly the files in use are left, with their vectors and bytes; nothing else is.")
	return nil
}

// explainKept prints what keeps the files that were kept: one of each kind, explained.
func (w *world) explainKept(ctx context.Context) error {
	var rows [][]string
	seen := map[string]bool{}
	for i := 0; i < len(w.InUse) && i < 40; i++ {
		out, _, err := w.runProgram(ctx, nil, nil, nil, "explain", w.InUse[i], "--output", "json")
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
	return printTable("Some of those that were kept, and why (pruned explain)", []string{"file", "verdict", "mentioned in", "path"}, rows)
}
