package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"pruned/cmd/pruned/demo"
	"pruned/config"
	"pruned/consumer/event"
	"pruned/consumer/sweep"
	"pruned/repo/blobs/local"
)

type demoCmd struct {
	Part int `hidden:"" default:"1" help:"Make only one in so many files."`
}

// Run makes an installation whose orphans are known, has the real consumer clean
// it, and compares what is left with what is known.
func (r *demoCmd) Run(ctx *runContext) (err error) {
	dir, err := os.MkdirTemp("", "pruned-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demonstration: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := time.Now()
	d := &demonstration{outer: ctx.command, results: map[string]event.Result{}}
	if d.world, err = demo.Make(ctx, dir, max(r.Part, 1)); err != nil {
		return err
	}
	if d.before, err = d.world.Holdings(ctx); err != nil {
		return err
	}
	if err := d.parseSettings(); err != nil {
		return err
	}
	if err := d.cleanWorld(ctx); err != nil {
		return err
	}
	if d.after, err = d.world.Holdings(ctx); err != nil {
		return err
	}
	return d.reportResults(time.Since(began))
}

// demonstration is one under way.
type demonstration struct {
	outer   *command
	inner   *command // with the settings of the scratch installation
	world   *demo.World
	before  demo.Holdings
	after   demo.Holdings
	results map[string]event.Result
}

// parseSettings reads the settings that an operator would set for it: none but the
// folder, and no wait for what would be due later.
func (d *demonstration) parseSettings() error {
	inner := *d.outer
	inner.cli = &cli{}
	_, err := config.Parse(inner.cli, []string{"run", "--output", d.outer.cli.Output}, []string{
		"DATA_DIR=" + d.world.Dir, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_LOG_LEVEL=warn",
		"PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_TRASH=0", "PRUNED_MAX_FRACTION=1",
	}, io.Discard)
	d.inner = &inner
	return err
}

// cleanWorld sweeps, reports all the rest as well, so that what is in use has to be
// defended, and drains.
func (d *demonstration) cleanWorld(ctx context.Context) error {
	d.printIntroduction()
	return d.inner.runWith(ctx, func(a *app) error {
		if folder, ok := a.blobs.(*local.Store); ok {
			a.blobs = folder.ByModification() // the demonstration has just written all of them
		}
		if err := d.sweepOrphans(ctx, a); err != nil {
			return err
		}
		if _, err := a.queue.Publish(ctx, d.eventsOf(func(f demo.File) bool { return !f.Kind.IsOrphan() }), nil); err != nil {
			return err
		}
		_, err := d.inner.consumeAll(ctx, a, &recorder{Handler: d.inner.newBatch(a, nil), results: d.results})
		return err
	}, openMigrated, openVectorStore, openByteStore, openOwnQueue)
}

var errMissed = errors.New("the sweep did not find exactly the known orphans")

// sweepOrphans must find every orphan, and nothing else.
func (d *demonstration) sweepOrphans(ctx context.Context, a *app) error {
	found := map[string]bool{}
	bar := d.inner.progressBar("sweeping")
	defer func() { _ = bar.Exit() }()
	_, err := d.inner.newSweeper(a).Sweep(ctx, sweep.Options{
		Progress: stageProgress(bar),
		Each: func(o sweep.Orphan) error {
			if o.DueIn == 0 {
				found[o.FileID] = true
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	for _, f := range d.world.Files {
		if found[f.ID] != f.Kind.IsOrphan() {
			return fmt.Errorf("%w: file %s (%s)", errMissed, f.ID, f.Kind.What)
		}
	}
	return nil
}

// eventsOf makes an event of each file that is wanted.
func (d *demonstration) eventsOf(wanted func(demo.File) bool) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for _, f := range d.world.Files {
			if wanted(f) && !yield(event.New(f.ID, "pruned/demo", "demonstration"), nil) {
				return
			}
		}
	}
}
