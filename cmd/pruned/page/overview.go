package page

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pruned/consumer"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// overview is the first page: what is there, and what a person has to do.
type overview struct {
	Database, Vectors, Uploads string

	Alarms  []alarm
	Parts   []part
	Days    days
	Found   []repo.CandidateSum
	Freed   repo.LedgerSum
	Trash   repo.TrashSum
	Backlog consumer.Backlog
	Letters uint64

	Waiting int64 // tombstones
	Sweep   sweep.State
	Due     string // in how long the first candidate is; empty: none waits
}

// alarm is something that a person has to look at, with what to do.
type alarm struct{ Title, Text, Link, Do, Command string }

func readOverview(ctx context.Context, p *Page, open *Open, _ *http.Request) (any, error) {
	place := open.Blobs.Info()
	o := &overview{Database: open.DB.Identity().Name, Vectors: open.Vectors, Uploads: cmp.Or(place.Folder, place.Name), Sweep: open.Sweeps.State()}
	for _, read := range []func(context.Context, *Open) error{o.readFiles, o.readWork, o.readQueue} {
		if err := read(ctx, open); err != nil {
			return nil, err
		}
	}
	return o, o.findAlarms(ctx, p, open)
}

// readFiles reads what there is, for the bar.
func (o *overview) readFiles(ctx context.Context, open *Open) error {
	files, err := open.DB.CountFiles(ctx)
	if err != nil {
		return err
	}
	if o.Found, err = open.DB.SumCandidates(ctx); err != nil {
		return err
	}
	if o.Trash, err = open.DB.SumTrash(ctx); err != nil {
		return err
	}
	waiting, err := open.DB.Backlog(ctx, repo.AllKinds...)
	if err != nil {
		return err
	}
	o.Waiting = max(waiting.Count-o.Trash.Files, 0) // the bytes of what is in the trash wait as well
	var unused, rowless int64
	for _, sum := range o.Found {
		switch sum.Direction {
		case repo.FromRows:
			unused = sum.Count
		case repo.FromVectors, repo.FromBytes:
			rowless += sum.Count
		}
	}
	o.Parts = stack([]part{
		{Name: "used", Class: "used", Count: max(files-unused, 0)},
		{Name: "unused", Class: "unused", Count: unused, Link: "/unused?direction=row"},
		{Name: "vectors and bytes without a file", Class: "rowless", Count: rowless, Link: "/unused"},
		{Name: "still to be removed", Class: "waiting", Count: o.Waiting},
		{Name: "in the trash", Class: "trash", Count: o.Trash.Files, Link: "/deleted?outcome=deleted"},
	})
	return nil
}

// readWork reads what was done, and when there is more to do.
func (o *overview) readWork(ctx context.Context, open *Open) (err error) {
	if o.Freed, err = open.DB.SumLedger(ctx); err != nil {
		return err
	}
	counts, err := open.DB.CountFreed(ctx, shownDays)
	if err != nil {
		return err
	}
	o.Days = chartDays(counts, time.Now())
	in, found, err := open.DB.NextCandidate(ctx, open.Ages)
	switch {
	case err != nil || !found:
	case in <= 0:
		o.Due = "now"
	default:
		o.Due = "in " + span(in)
	}
	return err
}

func (o *overview) readQueue(ctx context.Context, open *Open) (err error) {
	if o.Backlog, err = open.Queue.Backlog(ctx); err != nil {
		return err
	}
	o.Letters, err = open.Queue.CountDeadLetters(ctx)
	return err
}

// findAlarms gathers what a person has to look at, the worst first.
func (o *overview) findAlarms(ctx context.Context, p *Page, open *Open) error {
	if err := p.Unwell(); err != nil {
		o.Alarms = append(o.Alarms, alarm{"Not ready", strings.ReplaceAll(err.Error(), "\n", "; "), "/doctor", "See what is wrong", "pruned doctor"})
	}
	if o.Sweep.Err != nil {
		o.Alarms = append(o.Alarms, alarm{"The last sweep failed", o.Sweep.Err.Error(), "/doctor", "See what is wrong", "pruned doctor"})
	}
	holds, err := open.DB.ListHolds(ctx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		o.Alarms = append(o.Alarms, alarm{"Held: " + sweep.DescribeFound(h.Direction),
			fmt.Sprintf("%s of %s in %s: %s", commaOf(h.Found), commaOf(h.Total), h.Store, h.Reason),
			"/held", "Look at it, then let it go", "pruned sweep --confirm " + h.ID})
	}
	control, _ := open.Control.Current()
	if err := control.WhyPaused(); err != nil {
		o.Alarms = append(o.Alarms, alarm{"Paused", err.Error(), "/live", "Resume, or see how far it is", "pruned resume"})
	}
	if open.Executor != nil && control.Paused == nil {
		late, err := open.Executor.Overdue(ctx)
		if err != nil {
			return err
		}
		if late > time.Minute {
			o.Alarms = append(o.Alarms, alarm{"Removals are overdue", "the first by " + span(late), "/doctor", "See why", "pruned doctor"})
		}
	}
	if o.Letters > 0 {
		o.Alarms = append(o.Alarms, alarm{"Dead letters", "events that can never succeed: " + commaOf(o.Letters), "/dead", "See why, then redrive or purge them", "pruned dead list"})
	}
	return nil
}
