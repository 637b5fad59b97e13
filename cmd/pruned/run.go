package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pruned/config"
	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/loop"
	"pruned/consumer/sweep"
)

type runCmd struct {
	Drain bool `xor:"drain,once" help:"End with 0 as soon as nothing is pending, unacked or due, whatever the outcomes, and print the summary; neither sweep nor listen."`
	Once  bool `xor:"drain,once" help:"For cron: sweep, handle every event, remove what is due, and end as --drain does; print what was done and what is left for later."`
}

const (
	// batchTimeout is what the time of transactions and bisections is a part of.
	batchTimeout = 60 * time.Second
	// executorEvery is how often tombstones are looked at.
	executorEvery = 10 * time.Second
	// stopTimeout bounds what a summary still asks after a stop.
	stopTimeout = 10 * time.Second
)

// Run consumes until it is told to stop, which is no failure at any time.
func (r *runCmd) Run(ctx *runContext, settings *config.Settings) error {
	defer ctx.announceStop(ctx)()
	var err error
	if r.Drain || r.Once {
		work := ctx.drainQueue
		if r.Once {
			work = ctx.runOnce
		}
		err = ctx.runWith(ctx, func(a *app) error {
			ctx.announceStart(a)
			return work(ctx, a)
		}, openMigrated, openVectorStore, openByteStore, openOwnQueue)
	} else {
		err = ctx.runDaemon(ctx, settings)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// announceStop says that it was told to stop, and in the end that it has: between the two
// what is under way is finished.
func (c *command) announceStop(ctx context.Context) (stopped func()) {
	log, told := c.newLogger(), make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(told)
		log.Info().Msg("stopping: what is under way is finished or rolled back first")
	})
	return func() {
		if !cancel() {
			<-told
			log.Info().Msg("stopped")
		}
	}
}

// announceStart says what was found and what will be done with it.
func (c *command) announceStart(a *app) {
	for _, sentence := range c.cli.Assumed {
		a.log.Info().Msg(sentence)
	}
	ages := c.cli.Ages
	a.log.Info().Str("version", version).Str("database", a.db.Identity().Name).
		Str("vectors", a.store.Info().Name).Str("uploads", placeOf(a.blobs.Info())).
		Str("queue", a.queue.Name()).Bool("dry_run", c.cli.Consumer.DryRun).
		Msgf("pruned starts: it deletes what nothing mentions, at the age of %s and %s after that was found out, and its bytes %s later",
			shortDuration(ages.Min), shortDuration(ages.Orphan), shortDuration(max(c.cli.Consumer.BytesDelay, c.cli.Consumer.Trash)))
}

// shortDuration writes a duration without the units that are zero.
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// indexReferences brings the reference index up to date before anything is fetched, and looks
// which stores are this installation's.
func (c *command) indexReferences(ctx context.Context, a *app) error {
	bar := c.progressBar("indexing references")
	defer func() { _ = bar.Exit() }()
	start := time.Now()
	if err := a.db.IndexAll(ctx, tableProgress(bar)); err != nil {
		return err
	}
	a.log.Info().Dur("took", time.Since(start)).Msg("the reference index is up to date")
	return c.newSweeper(a).ApproveStores(ctx)
}

// drainQueue consumes until nothing is left, or it is told to stop, and prints what
// came of it.
func (c *command) drainQueue(ctx context.Context, a *app) error {
	if err := c.indexReferences(ctx, a); err != nil {
		if ctx.Err() == nil {
			return err
		}
		return c.printSummary(consumer.Summary{})
	}
	summary, err := c.drainIndexed(ctx, a)
	if err == nil && summary.Events == 0 && c.cli.Consumer.DryRun && !c.isJSON() {
		return c.printDone("nothing waits in the queue: `pruned sweep --dry-run` shows what nothing uses")
	}
	return cmp.Or(err, c.printSummary(summary))
}

// drainIndexed consumes until nothing is left, with an index that is up to date.
func (c *command) drainIndexed(ctx context.Context, a *app) (consumer.Summary, error) {
	rest, end := c.startBackground(ctx, a)
	defer end()
	chunks := c.newChunkVacuum(a)
	batch := c.newBatch(a, chunks.countTransaction)
	rest.Go(func(ctx context.Context) {
		for loop.Sleep(ctx, sweep.IndexEvery) { // a drain has no sweeps that would do so
			sweep.IndexChanged(ctx, a.db, &batch.Changed, a.log)
		}
	})
	summary, err := c.consumeAll(ctx, a, batch)
	chunks.vacuum(ctx)
	return summary, err
}

// consumeAll has every event handled, and every tombstone that is due by then.
func (c *command) consumeAll(ctx context.Context, a *app, handler event.Handler) (consumer.Summary, error) {
	bar := c.progressBar("draining")
	options := c.consumerOptions(a)
	options.Drain = true
	options.Progress = func(done, pending uint64) {
		bar.ChangeMax64(int64(done + pending))
		_ = bar.Set64(int64(done))
	}
	if !options.DryRun {
		options.Due = a.sharedExecutor().Due
	}
	summary, err := consumer.New(a.queue, handler, options).Run(ctx)
	_ = bar.Exit()
	if err == nil {
		err = addWaiting(ctx, a, &summary)
	}
	return summary, err
}

// addWaiting adds to a summary what is left to be done by others, also where it is one
// of what was done until a stop.
func addWaiting(ctx context.Context, a *app, s *consumer.Summary) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	left, err := a.sharedExecutor().Waiting(ctx)
	s.Waiting, s.WaitingFor = left.Files, left.For
	return err
}

// tasks run beside the consumer, until it has ended.
type tasks struct {
	ctx   context.Context
	group sync.WaitGroup
}

// Go runs one of them.
func (t *tasks) Go(fn func(context.Context)) { t.group.Go(func() { fn(t.ctx) }) }

// startBackground starts what every consumer needs beside it, the executor of
// tombstones. end stops all tasks.
func (c *command) startBackground(ctx context.Context, a *app) (rest *tasks, end func()) {
	running, cancel := context.WithCancel(ctx)
	rest = &tasks{ctx: running}
	if !c.cli.Consumer.DryRun {
		executor := a.sharedExecutor()
		rest.Go(func(ctx context.Context) { executor.Run(ctx, executorEvery) })
	}
	return rest, func() {
		cancel()
		rest.group.Wait()
	}
}

// printSummary prints what became of the events.
func (c *command) printSummary(s consumer.Summary) error {
	if c.isJSON() {
		return c.printObject(s)
	}
	rate := 0.0
	if s.Duration > 0 {
		rate = float64(s.Events) / s.Duration
	}
	return c.printTable(func(line func(...any)) {
		line("batches", s.Batches)
		line("events", s.Events)
		for _, row := range []struct {
			name string
			n    int
		}{{"deleted", s.Deleted}, {"gone", s.Gone}, {"kept", s.Kept}, {"young", s.Young}, {"busy", s.Busy},
			{"invalid", s.Invalid}, {"poison", s.Poison}, {"failed", s.Failed}, {"repeated", s.Repeated}, {"waiting", s.Waiting}} {
			line("  "+row.name, row.n)
		}
		if s.WaitingFor != "" {
			line("", s.WaitingFor)
		}
		line("duration", fmt.Sprintf("%.1fs", s.Duration))
		line("rate", fmt.Sprintf("%.0f events/s", rate))
	})
}
