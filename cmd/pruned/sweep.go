package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"pruned/config"
	"pruned/consumer/sweep"
	"pruned/repo"
)

type sweepCmd struct {
	Confirm string `placeholder:"ID" help:"Let go what the sweep of that id found and held, after looking again."`
	sweepPart
	Limit *int   `placeholder:"N" help:"A dry run shows at most so many in its table; 0: all. Unset: 20."`
	Sort  string `default:"size" enum:"size,age,due" help:"What a dry run shows first: the largest (size), the oldest (age), or what is due first (due)."`
}

// sweepPart is which part of what is held is let go.
type sweepPart struct {
	Only      []string `enum:"row,vector,bytes,folder,collection,points,dangling" placeholder:"DIRECTION" help:"With --confirm: only what was found in this direction (row, vector, bytes, folder, collection, points, dangling); may be given several times."`
	OlderThan span     `placeholder:"D" help:"With --confirm: only what is so old, such as 30d."`
	Except    []string `sep:"none" placeholder:"ID" help:"With --confirm: all but this; may be given several times. What is not let go stays held under the same id."`
}

// parsePart reads it.
func (r *sweepCmd) parsePart() (p sweep.Part, err error) {
	for _, d := range r.Only {
		p.Only = append(p.Only, repo.Direction(d))
	}
	p.OlderThan, p.Except = time.Duration(r.OlderThan), r.Except
	if r.Confirm == "" && (len(p.Only) > 0 || p.OlderThan > 0 || len(p.Except) > 0) {
		err = &config.UsageError{Err: errors.New("--only, --older-than and --except say what of a held sweep is let go: wanted --confirm ID as well")}
	}
	return p, err
}

// sweepTimeout is how long a sweep waits for another process's: long enough for the
// lead of one that died to end.
const sweepTimeout = 20 * time.Second

// errHeld is told by an exit status of its own.
var errHeld = errors.New("held back")

// Run sweeps once.
func (r *sweepCmd) Run(ctx *runContext) error {
	part, err := r.parsePart()
	if err != nil {
		return err
	}
	components := []component{openMigrated, openVectorStore, openByteStore}
	if !ctx.cli.Consumer.DryRun {
		components = append(components, openSharedQueue)
	}
	return ctx.runWith(ctx, func(a *app) error { return r.sweepOnce(ctx, a, part) }, components...)
}

func (r *sweepCmd) sweepOnce(ctx *runContext, a *app, part sweep.Part) error {
	unsearched, err := a.db.ListUnsearched(ctx)
	if err != nil {
		return err
	}
	if len(unsearched) > 0 {
		a.log.Warn().Strs("tables", unsearched).Msg("not searched for mentions of files: they may not be read, or lie in another database")
	}
	show := r.newSweepView(ctx, a)
	bar := ctx.progressBar("sweeping")
	report, err := ctx.newSweeper(a).Sweep(ctx, sweep.Options{
		Confirm: r.Confirm, Part: part, Wait: sweepTimeout, Each: show.showOrphan, Progress: stageProgress(bar),
	})
	_ = bar.Exit()
	if errors.Is(err, repo.ErrNoHold) {
		err = fmt.Errorf("%w: it never was confirmed either, or what was held is no more; `pruned status` shows what is held now", err)
	}
	var kept repo.Unsearchable
	if err == nil {
		kept, err = a.db.CountUnsearchable(ctx)
	}
	if err := cmp.Or(show.showReport(report, kept, err), err); err != nil {
		return err
	}
	if len(report.Holds) > 0 && ctx.cli.Consumer.DryRun {
		return fmt.Errorf("%w: a sweep without --dry-run is held as well, and tells the id that lets it go", errHeld)
	}
	if len(report.Holds) > 0 {
		return fmt.Errorf("%w: look at what was found, then let it go with `pruned sweep --confirm %s`", errHeld, report.ID)
	}
	return nil
}

// newSweeper makes a sweeper by this command's settings.
func (c *command) newSweeper(a *app) *sweep.Sweeper {
	s := &sweep.Sweeper{
		DB: a.db, Vectors: a.store, Blobs: a.blobs,
		Ages: c.fileAges(), MaxFraction: c.cli.Sweep.MaxFraction, Retention: c.cli.Database.LedgerRetention,
		Cache: openCache(c.cli.Storage.DataDir), CacheAge: c.cli.Ages.Cache,
		RemovesDangling: c.cli.Database.RemovesDangling(),
		DryRun:          c.cli.Consumer.DryRun, Log: a.log, Paused: a.control.IsPaused,
	}
	if a.queue != nil {
		s.Queue = a.queue
	}
	return s
}
