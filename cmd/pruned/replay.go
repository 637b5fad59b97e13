package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"pruned/config"
	"pruned/consumer"
)

type replayCmd struct {
	Since   string `xor:"from" placeholder:"T" help:"Events stored since then: a time such as 2026-01-31T08:00:00Z, or how long ago, such as 2h."`
	FromSeq uint64 `xor:"from" placeholder:"N" help:"Events from this number of the stream on."`
	All     bool   `xor:"from" help:"Everything that the stream still has."`
	Dead    bool   `xor:"from" help:"Dead letters; those that succeed are removed."`
	Resume  string `xor:"from" placeholder:"NAME" help:"What is left of a replay that was interrupted."`
	Reason  string `help:"Why, for the ledger; none: the events' own reasons."`
}

var errNothingToReplay = errors.New("wanted one of --since, --from-seq, --all, --dead, --resume")

// Run hands events to the handler again.
func (r *replayCmd) Run(ctx *runContext) error {
	options, err := r.parseOptions(time.Now())
	if err != nil {
		return &config.UsageError{Err: err}
	}
	return ctx.runWith(ctx, func(a *app) error { return r.replayEvents(ctx, a, options) },
		openMigrated, openVectorStore, openByteStore, openSharedQueue)
}

func (r *replayCmd) parseOptions(now time.Time) (consumer.ReplayOptions, error) {
	o := consumer.ReplayOptions{FromSeq: r.FromSeq, All: r.All, Dead: r.Dead, Resume: r.Resume, Reason: r.Reason}
	if r.Since != "" {
		var err error
		if o.Since, err = parseInstant(r.Since, now); err != nil {
			return o, fmt.Errorf("--since: %w", err)
		}
	}
	if o.Since.IsZero() && o.FromSeq == 0 && !o.All && !o.Dead && o.Resume == "" {
		return o, errNothingToReplay
	}
	return o, nil
}

// parseInstant reads a time, or how long ago it was.
func parseInstant(text string, now time.Time) (time.Time, error) {
	if ago, err := config.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-01-31T08:00:00Z nor how long ago, such as 2h or 7d", text)
}

func (r *replayCmd) replayEvents(ctx *runContext, a *app, o consumer.ReplayOptions) error {
	if err := ctx.indexReferences(ctx, a); err != nil {
		return err
	}
	bar := ctx.progressBar("replaying")
	o.DryRun, o.Rate, o.Control, o.Log = ctx.cli.Consumer.DryRun, ctx.cli.Consumer.Rate, a.control, a.log
	o.Started = func(name string, total uint64) {
		a.log.Info().Str("name", name).Uint64("events", total).Bool("dry_run", o.DryRun).Msg("the replay begins")
		bar.ChangeMax64(int64(total))
	}
	o.Progress = func(done, total uint64) {
		bar.ChangeMax64(int64(total))
		_ = bar.Set64(int64(done))
	}
	chunks := ctx.newChunkVacuum(a)
	summary, err := consumer.Replay(ctx, a.queue, ctx.newBatch(a, chunks.countTransaction), o)
	_ = bar.Exit()
	if err == nil && !o.DryRun {
		err = cmp.Or(a.sharedExecutor().Drain(ctx), addWaiting(ctx, a, &summary))
	}
	chunks.vacuum(ctx)
	return cmp.Or(err, ctx.printSummary(summary))
}
