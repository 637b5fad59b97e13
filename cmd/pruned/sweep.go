package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"pruned/consumer"
	"pruned/repo"
)

type sweepCmd struct {
	Confirm string `placeholder:"ID" help:"Let go what the sweep of that id found and held, after looking again."`
}

// sweepWait is how long a sweep waits for another process's: long enough for the
// lead of one that died to end.
const sweepWait = 20 * time.Second

// errHeld is told by an exit status of its own.
var errHeld = errors.New("held back")

// Run sweeps once.
func (r *sweepCmd) Run(ctx *runContext) error {
	makers := []maker{migrated, vectorStore, uploads}
	if !ctx.cli.Consumer.DryRun {
		makers = append(makers, sharedQueue)
	}
	return ctx.with(ctx, func(p *parts) error { return r.sweep(ctx, p) }, makers...)
}

func (r *sweepCmd) sweep(ctx *runContext, p *parts) error {
	unsearched, err := p.db.Unsearched(ctx)
	if err != nil {
		return err
	}
	if len(unsearched) > 0 {
		p.log.Warn().Strs("tables", unsearched).Msg("not searched for mentions of files: they may not be read, or lie in another database")
	}
	show := ctx.sweepView()
	bar := ctx.bar("sweeping")
	report, err := ctx.sweeper(p).Sweep(ctx, consumer.SweepOptions{
		Confirm: r.Confirm, Wait: sweepWait, Each: show.orphan, Progress: stageProgress(bar),
	})
	_ = bar.Exit()
	var kept repo.Unsearchable
	if err == nil {
		kept, err = p.db.Unsearchable(ctx)
	}
	if err := cmp.Or(show.end(report, kept, err), err); err != nil {
		return err
	}
	if len(report.Holds) > 0 && ctx.cli.Consumer.DryRun {
		return fmt.Errorf("%w: so would be a sweep that is no dry run; it tells the id that lets it go", errHeld)
	}
	if len(report.Holds) > 0 {
		return fmt.Errorf("%w: look at what was found, then let it go with `pruned sweep --confirm %s`", errHeld, report.ID)
	}
	return nil
}

// sweeper finds orphans, by this command's settings.
func (c *command) sweeper(p *parts) *consumer.Sweeper {
	s := &consumer.Sweeper{
		DB: p.db, Vectors: p.store, VectorStore: p.storeInfo, Blobs: p.blobs, BlobStore: p.blobsInfo,
		Ages: c.ages(), MaxFraction: c.cli.Sweep.MaxFraction, Retention: c.cli.Database.LedgerRetention,
		DryRun: c.cli.Consumer.DryRun, Log: p.log,
	}
	if p.queue != nil {
		s.Queue = p.queue
	}
	return s
}
