package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/prune"
)

type runCmd struct {
	Drain bool `help:"End with 0 as soon as nothing is pending, unacked or due, whatever the outcomes, and print the summary; neither sweep nor listen."`
}

const (
	ackWait = 60 * time.Second
	// executorEvery is how often tombstones are looked at.
	executorEvery = 10 * time.Second
	// stopPatience bounds what a summary still asks after a stop.
	stopPatience = 10 * time.Second
)

// Run consumes until it is told to stop, which is no failure at any time.
func (r *runCmd) Run(ctx *runContext) error {
	var err error
	if r.Drain {
		err = ctx.with(ctx, func(p *parts) error {
			ctx.announce(p)
			return ctx.drain(ctx, p)
		}, migrated, vectorStore, uploads, ownQueue)
	} else {
		err = ctx.daemon(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// announce says what was found and what will be done with it.
func (c *command) announce(p *parts) {
	for _, sentence := range c.cli.Assumed {
		p.log.Info().Msg(sentence)
	}
	ages := c.cli.Ages
	p.log.Info().Str("version", version).Str("database", p.db.Identity().Name).
		Str("vectors", p.storeInfo.Name).Str("uploads", c.cli.Storage.Uploads()).
		Str("queue", p.queue.Name()).Bool("dry_run", c.cli.Consumer.DryRun).
		Msgf("pruned starts: it deletes what nothing mentions, at the age of %s and %s after that was found out, and its bytes %s later",
			short(ages.Min), short(ages.Orphan), short(c.cli.Consumer.BytesDelay))
}

// short is a duration without the units that are zero.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// index brings the reference index up to date before anything is fetched, and looks
// which stores are this installation's.
func (c *command) index(ctx context.Context, p *parts) error {
	bar := c.bar("indexing references")
	defer func() { _ = bar.Exit() }()
	start := time.Now()
	if err := p.db.Refresh(ctx, tableProgress(bar)); err != nil {
		return err
	}
	p.log.Info().Dur("took", time.Since(start)).Msg("the reference index is up to date")
	return c.sweeper(p).ApproveStores(ctx)
}

// unlessStopped leaves out what failed because the program was told to stop: a
// pass goes on at the next start.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// drain consumes until nothing is left, or it is told to stop, and prints what
// came of it.
func (c *command) drain(ctx context.Context, p *parts) error {
	if err := c.index(ctx, p); err != nil {
		if ctx.Err() == nil {
			return err
		}
		return c.summary(consumer.Summary{})
	}
	rest, end := c.background(ctx, p)
	defer end()
	batch := c.batch(p)
	rest.Go(func(ctx context.Context) { keepLooksShort(ctx, p, batch) })
	summary, err := c.empty(ctx, p, batch)
	return firstError(err, c.summary(summary))
}

// empty has every claim handled, and every tombstone that is due by then.
func (c *command) empty(ctx context.Context, p *parts, handler event.Handler) (consumer.Summary, error) {
	bar := c.bar("draining")
	options := c.consumption(p)
	options.Drain = true
	options.Progress = func(done, pending uint64) {
		bar.ChangeMax64(int64(done + pending))
		_ = bar.Set64(int64(done))
	}
	if !options.DryRun {
		options.Due = p.executor().Due
	}
	summary, err := consumer.New(p.queue, handler, options).Run(ctx)
	_ = bar.Exit()
	if err == nil {
		err = waiting(ctx, p, &summary)
	}
	return summary, err
}

// waiting adds to a summary what is left to be done by others, also where it is one
// of what was done until a stop.
func waiting(ctx context.Context, p *parts, s *consumer.Summary) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	left, err := p.executor().Waiting(ctx)
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

// background starts what every consumer needs beside it: whoever carries out
// tombstones. end stops all tasks.
func (c *command) background(ctx context.Context, p *parts) (rest *tasks, end func()) {
	running, cancel := context.WithCancel(ctx)
	rest = &tasks{ctx: running}
	if !c.cli.Consumer.DryRun {
		executor := p.executor()
		rest.Go(func(ctx context.Context) { executor.Run(ctx, executorEvery) })
	}
	return rest, func() {
		cancel()
		rest.group.Wait()
	}
}

const (
	// refreshBytes of changed rows make a pass worth more than another look.
	refreshBytes = 8 << 20
	refreshCheck = 2 * time.Second
)

// keepLooksShort brings the index up to date where looks have to read much that
// changed: a drain has no sweeps to do so.
func keepLooksShort(ctx context.Context, p *parts, batch *prune.Handler) {
	ticker := time.NewTicker(refreshCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if batch.Changed.Load() < refreshBytes {
			continue
		}
		batch.Changed.Store(0)
		if err := p.db.Refresh(ctx, nil); err != nil && ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("the reference index could not be brought up to date; it is tried again")
		}
	}
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
