package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
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
	report, err := ctx.sweeper(p).Sweep(ctx, sweep.Options{
		Confirm: r.Confirm, Wait: sweepWait, Each: show.orphan, Progress: stageProgress(bar),
	})
	_ = bar.Exit()
	var kept repo.Unsearchable
	if err == nil {
		kept, err = p.db.Unsearchable(ctx)
	}
	if err := firstError(show.end(report, kept, err), err); err != nil {
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
func (c *command) sweeper(p *parts) *sweep.Sweeper {
	s := &sweep.Sweeper{
		DB: p.db, Vectors: p.store, VectorStore: p.storeInfo, Blobs: p.blobs, BlobStore: p.blobsInfo,
		Ages: c.ages(), MaxFraction: c.cli.Sweep.MaxFraction, Retention: c.cli.Database.LedgerRetention,
		DryRun: c.cli.Consumer.DryRun, Log: p.log,
	}
	if p.queue != nil {
		s.Queue = p.queue
	}
	return s
}

// sweepView shows a sweep while it runs: orphans may be too many to be kept.
type sweepView interface {
	orphan(sweep.Orphan) error
	// end shows the rest; failed is why the sweep ended too soon.
	end(report sweep.Report, kept repo.Unsearchable, failed error) error
}

func (c *command) sweepView() sweepView {
	if c.json() {
		return &sweepObject{out: c.stdout}
	}
	return &sweepTable{command: c}
}

// sweepTable is for people. A sweep that publishes says only what it came to.
type sweepTable struct {
	*command
	lines int
}

// sweepLine has columns as wide as what is usually in them: a table of a million
// lines is not kept in order to align it.
const sweepLine = "%-9s  %-36s  %8s  %9s  %s\n"

func (t *sweepTable) orphan(o sweep.Orphan) error {
	if !t.cli.Consumer.DryRun {
		return nil
	}
	if t.lines == 0 {
		fmt.Fprintf(t.stdout, sweepLine, "DIRECTION", "FILE", "AGE", "SIZE", "DUE IN")
	}
	t.lines++
	due := "now"
	if o.DueIn > 0 {
		due = roughly(o.DueIn)
	}
	_, err := fmt.Fprintf(t.stdout, sweepLine, o.Direction, o.FileID, roughly(o.Age), humanize.IBytes(uint64(max(o.Bytes, 0))), due)
	return err
}

func (t *sweepTable) end(r sweep.Report, kept repo.Unsearchable, failed error) error {
	if failed != nil {
		return nil
	}
	if t.lines > 0 {
		fmt.Fprintln(t.stdout)
	}
	return t.table(func(line func(...any)) {
		line("files", humanize.Comma(r.Files))
		line("orphans", humanize.Comma(r.Totals.Orphans))
		line("  chunks", humanize.Comma(r.Totals.Chunks))
		line("  bytes", humanize.IBytes(uint64(max(r.Totals.Bytes, 0))))
		line("published", humanize.Comma(r.Published))
		if kept.Files > 0 {
			line("kept", humanize.Comma(kept.Files), kept.String())
		}
		for _, hold := range r.Holds {
			line("held", humanize.Comma(hold.Found), fmt.Sprintf("%s of %s: %s", hold.Direction, hold.Store, hold.Reason))
		}
	})
}

// roughly says how long, in its largest unit.
func roughly(seconds int64) string {
	switch d := time.Duration(seconds) * time.Second; {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", seconds)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", seconds/60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", seconds/3600)
	default:
		return fmt.Sprintf("%dd", seconds/86400)
	}
}

// maker makes one of the parts.
type maker = func(context.Context, *command, *parts) error
