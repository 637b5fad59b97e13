package main

import (
	"cmp"
	"context"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/consumer"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// onceReport is what one run did, and what it left for a later one.
type onceReport struct {
	Sweep   sweep.Report     `json:"sweep"`
	Summary consumer.Summary `json:"summary"`
	Later   later            `json:"later"`
}

// later is what becomes due after a run.
type later struct {
	NextIn    *float64 `json:"next_orphan_in_s,omitempty"` // until an event about the first orphan; missing: none waits
	ToRemove  int64    `json:"to_remove"`                  // bytes and vectors of what was deleted
	RemovedIn *float64 `json:"removed_in_s,omitempty"`     // until the first of them; missing: there are none
}

// runOnce sweeps, handles every event, removes what is due, and ends. What it holds is no
// failure of a run, and told with the command that lets it go.
func (c *command) runOnce(ctx context.Context, a *app) error {
	bar := c.progressBar("sweeping")
	report, err := c.newSweeper(a).Sweep(ctx, sweep.Options{Wait: sweepTimeout, Progress: stageProgress(bar)})
	_ = bar.Exit()
	if err != nil {
		return err
	}
	summary, err := c.drainIndexed(ctx, a)
	r := onceReport{Sweep: report, Summary: summary}
	if err == nil {
		r.Later, err = a.findLater(ctx, c.fileAges())
	}
	return cmp.Or(err, c.printOnce(r))
}

// findLater looks when the rest becomes due, also after a stop.
func (a *app) findLater(ctx context.Context, ages repo.Ages) (l later, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	in, found, err := a.db.NextCandidate(ctx, ages)
	if err != nil {
		return l, err
	}
	if found {
		l.NextIn = roundSeconds(max(in, 0))
	}
	waiting, err := a.db.Backlog(ctx, repo.AllKinds...)
	if l.ToRemove = waiting.Count; l.ToRemove > 0 {
		l.RemovedIn = roundSeconds(max(waiting.DueIn, 0))
	}
	return l, err
}

func (c *command) printOnce(r onceReport) error {
	if c.isJSON() {
		return c.printObject(r)
	}
	if err := c.printSummary(r.Summary); err != nil {
		return err
	}
	return c.printTable(func(line func(...any)) {
		line("orphans", humanize.Comma(r.Sweep.Totals.Orphans), humanize.Comma(r.Sweep.Published)+" of them were due and not in the queue before")
		for _, hold := range r.Sweep.Holds {
			line("held", humanize.Comma(hold.Found), describeHold(hold))
		}
		if r.Later.NextIn != nil {
			line("later", "", "the next orphan is due "+describeDue(*r.Later.NextIn))
		}
		if r.Later.RemovedIn != nil {
			line("to remove", humanize.Comma(r.Later.ToRemove), "bytes and vectors of what was deleted, the first "+describeDue(*r.Later.RemovedIn))
		}
	})
}

// describeHold says why something is held, and what lets it go.
func describeHold(h repo.Hold) string {
	return string(h.Direction) + " of " + h.Store + ": " + h.Reason + "; `pruned sweep --confirm " + h.ID + "` lets it go"
}

// describeDue says in how long something is due, and at what time.
func describeDue(seconds float64) string {
	if seconds <= 0 {
		return "now"
	}
	at := time.Now().Add(time.Duration(seconds) * time.Second)
	return "in " + formatAge(seconds) + ", at " + at.Format(time.DateTime)
}
