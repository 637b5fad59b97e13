package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"pruned/consumer"
	"pruned/repo"
)

type runCmd struct {
	Drain bool `help:"End with 0 as soon as nothing is pending, unacked or due, whatever the outcomes, and print the summary."`
}

const (
	ackWait = 60 * time.Second
	// executorEvery is how often tombstones are looked at.
	executorEvery = 10 * time.Second
)

// Run consumes until it is told to stop.
func (r *runCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error { return r.consume(ctx, p) },
		migrated, vectorStore, uploads, ownQueue)
}

func (r *runCmd) consume(ctx *runContext, p *parts) error {
	p.log.Info().Str("version", version).Str("database", p.db.Identity().Name).Str("schema", p.db.Schema()).
		Str("queue", p.queue.Name()).Bool("dry_run", ctx.cli.Consumer.DryRun).Msg("pruned starts")
	if err := r.index(ctx, p); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop; the pass goes on at the next start
		}
		return err
	}
	transaction := ctx.transaction(p)
	executor := &consumer.Executor{DB: p.db, Vectors: p.store, Blobs: p.blobs, Log: p.log}
	var background sync.WaitGroup
	defer background.Wait()
	rest, cancel := context.WithCancel(ctx)
	defer cancel()
	if !transaction.DryRun {
		background.Go(func() { executor.Run(rest, executorEvery) })
	}
	batch := consumer.NewBatch(transaction, ctx.cli.Consumer.Batch, ackWait, p.log)
	background.Go(func() { r.refresh(rest, ctx, p, batch) })

	options := consumer.Options{
		Workers: ctx.cli.Consumer.Workers, AckWait: ackWait,
		MaxAckPending: ctx.cli.Consumer.Workers * ctx.cli.Consumer.Batch * 20, // batches grow tenfold
		Rate:          ctx.cli.Consumer.Rate, Drain: r.Drain, DryRun: transaction.DryRun,
		Ready: func(ctx context.Context) error { return p.db.Refresh(ctx, nil) },
		Log:   p.log,
	}
	if !transaction.DryRun {
		options.Due = executor.Due
	}
	var bar *progressbar.ProgressBar
	if r.Drain {
		bar = ctx.bar("draining")
		options.Progress = func(done, pending uint64) {
			bar.ChangeMax64(int64(done + pending))
			_ = bar.Set64(int64(done))
		}
	}
	summary, err := consumer.New(p.queue, batch, options).Run(ctx)
	if bar != nil {
		_ = bar.Exit()
	}
	if err != nil || !r.Drain {
		return err
	}
	return ctx.summary(summary)
}

// index brings the reference index up to date before anything is fetched.
func (r *runCmd) index(ctx *runContext, p *parts) error {
	bar := ctx.bar("indexing references")
	defer func() { _ = bar.Exit() }()
	start := time.Now()
	if err := p.db.Refresh(ctx, tableProgress(bar)); err != nil {
		return err
	}
	p.log.Info().Dur("took", time.Since(start)).Msg("the reference index is up to date")
	return nil
}

// tableProgress shows a full pass, a table at a time.
func tableProgress(bar *progressbar.ProgressBar) repo.Progress {
	return func(table string, done, estimate int64) {
		bar.Describe("indexing " + table)
		bar.ChangeMax64(estimate)
		_ = bar.Set64(done)
	}
}

const (
	// refreshBytes of changed rows make a pass worth more than another look.
	refreshBytes = 8 << 20
	refreshCheck = 2 * time.Second
)

// refresh keeps the looks short: a pass every PRUNED_SWEEP_EVERY, and sooner
// where looks have to read much that changed.
func (r *runCmd) refresh(rest context.Context, ctx *runContext, p *parts, batch *consumer.Batch) {
	ticker := time.NewTicker(refreshCheck)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-rest.Done():
			return
		case <-ticker.C:
		}
		every := ctx.cli.Sweep.Every
		if batch.Changed.Load() < refreshBytes && (every == 0 || time.Since(last) < every) {
			continue
		}
		batch.Changed.Store(0)
		if err := p.db.Refresh(rest, nil); err != nil && rest.Err() == nil {
			p.log.Warn().Err(err).Msg("the reference index could not be brought up to date; it is tried again")
		}
		last = time.Now()
	}
}

// transaction is what handles claims, by this command's settings.
func (c *command) transaction(p *parts) *consumer.Transaction {
	return &consumer.Transaction{
		DB: p.db, Vectors: p.store, Blobs: p.blobs,
		Ages:       repo.Ages{Min: c.cli.Ages.Min, Pending: c.cli.Ages.Pending, Orphan: c.cli.Ages.Orphan},
		BytesDelay: c.cli.Consumer.BytesDelay,
		DryRun:     c.cli.Consumer.DryRun,
	}
}

// bar is a progress bar on stderr, or nothing where that is no terminal.
func (c *command) bar(what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(isTerminal(c.stderr) && !c.json()),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("files"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// summary prints what became of the events.
func (c *command) summary(s consumer.Summary) error {
	if c.json() {
		return c.object(s)
	}
	rate := 0.0
	if s.Duration > 0 {
		rate = float64(s.Events) / s.Duration
	}
	return c.table(func(line func(...any)) {
		line("batches", s.Batches)
		line("events", s.Events)
		for _, row := range []struct {
			name string
			n    int
		}{{"deleted", s.Deleted}, {"gone", s.Gone}, {"kept", s.Kept}, {"young", s.Young}, {"busy", s.Busy},
			{"invalid", s.Invalid}, {"poison", s.Poison}, {"failed", s.Failed}} {
			line("  "+row.name, row.n)
		}
		line("duration", fmt.Sprintf("%.1fs", s.Duration))
		line("rate", fmt.Sprintf("%.0f events/s", rate))
	})
}
