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
	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/sweep"
	"pruned/repo/blobs"
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
	if err := d.begin(); err != nil {
		return err
	}
	if err := d.clean(ctx); err != nil {
		return err
	}
	if d.after, err = d.world.Holdings(ctx); err != nil {
		return err
	}
	return d.end(time.Since(began))
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

// begin reads the settings that an operator would set for it: none but the
// folder, and no wait for what would be due later.
func (d *demonstration) begin() error {
	inner := *d.outer
	inner.cli = &cli{}
	_, err := config.Parse(inner.cli, []string{"run", "--output", d.outer.cli.Output}, []string{
		"DATA_DIR=" + d.world.Dir, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_LOG_LEVEL=warn",
		"PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_MAX_FRACTION=1",
	}, io.Discard)
	d.inner = &inner
	return err
}

// clean sweeps, claims all the rest as well, so that what is in use has to be
// defended, and drains.
func (d *demonstration) clean(ctx context.Context) error {
	d.introduce()
	return d.inner.with(ctx, func(p *parts) error {
		if local, ok := p.blobs.(*blobs.Local); ok {
			p.blobs = local.ByModification() // the demonstration has just written all of them
		}
		if err := d.sweep(ctx, p); err != nil {
			return err
		}
		if _, err := p.queue.Publish(ctx, d.claims(func(f demo.File) bool { return !f.Kind.Orphan() }), consumer.PublishOptions{}); err != nil {
			return err
		}
		_, err := d.inner.empty(ctx, p, &recorder{Handler: d.inner.batch(p), results: d.results})
		return err
	}, migrated, vectorStore, uploads, ownQueue)
}

var errMissed = errors.New("the sweep did not find exactly the known orphans")

// sweep must find every orphan, and nothing else.
func (d *demonstration) sweep(ctx context.Context, p *parts) error {
	found := map[string]bool{}
	bar := d.inner.bar("sweeping")
	defer func() { _ = bar.Exit() }()
	_, err := d.inner.sweeper(p).Sweep(ctx, sweep.Options{
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
		if found[f.ID] != f.Kind.Orphan() {
			return fmt.Errorf("%w: file %s (%s)", errMissed, f.ID, f.Kind.What)
		}
	}
	return nil
}

// claims are one for each file of those that are wanted.
func (d *demonstration) claims(wanted func(demo.File) bool) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for _, f := range d.world.Files {
			if wanted(f) && !yield(event.New(f.ID, "pruned/demo", "demonstration"), nil) {
				return
			}
		}
	}
}
