package main

import (
	"context"
	"fmt"
	"time"

	"pruned/consumer"
)

// byCommand is who says what a command says.
const byCommand = "a command"

type pauseCmd struct{}

// Run pauses the work of every process of the installation.
func (pauseCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		since, was, err := a.queue.Pause(ctx, byCommand)
		if err != nil {
			return err
		}
		text := "paused: no batch begins, and nothing is removed, until `pruned resume`; sweeps go on to find"
		if was {
			text = fmt.Sprintf("it is paused since %s, by %s", since.At.Local().Format(time.DateTime), since.By)
		}
		return ctx.printControl(ctx, a, text)
	}, openDatabase, openSharedQueue)
}

type resumeCmd struct{}

// Run lets it go on.
func (resumeCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		was, err := a.queue.Resume(ctx)
		if err != nil {
			return err
		}
		text := "resumed"
		if !was {
			text = "it was not paused"
		}
		return ctx.printControl(ctx, a, text)
	}, openDatabase, openSharedQueue)
}

type rateCmd struct {
	Rate string `arg:"" optional:"" help:"N/s: so many events a second in each process; none: no limit; reset: as PRUNED_RATE says. Left out: tells what holds."`
}

// Validate refuses what is no rate.
func (r *rateCmd) Validate() error {
	if r.Rate == "" {
		return nil
	}
	_, err := consumer.ParseRate(r.Rate)
	return err
}

// Run sets the rate of every process, or tells it.
func (r *rateCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		if r.Rate != "" {
			perSecond, err := consumer.ParseRate(r.Rate)
			if err == nil {
				err = a.queue.SetRate(ctx, perSecond, byCommand)
			}
			if err != nil {
				return err
			}
		}
		control, err := a.queue.ReadControl(ctx)
		if err != nil {
			return err
		}
		return ctx.printControl(ctx, a, control.DescribeRate(ctx.cli.Consumer.Rate))
	}, openDatabase, openSharedQueue)
}

// printControl prints what was done, or as JSON what holds now.
func (c *command) printControl(ctx context.Context, a *app, text string) error {
	if !c.isJSON() {
		return c.printDone(text)
	}
	control, err := a.queue.ReadControl(ctx)
	if err != nil {
		return err
	}
	return c.printObject(control)
}
