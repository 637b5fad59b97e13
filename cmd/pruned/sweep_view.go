package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// sweepView shows a sweep while it runs: orphans may be too many to be kept.
type sweepView interface {
	showOrphan(sweep.Orphan) error
	// showReport shows the rest; failed is why the sweep ended too soon.
	showReport(report sweep.Report, kept repo.Unsearchable, failed error) error
}

// newSweepView makes the view that the settings ask for.
func (r *sweepCmd) newSweepView(ctx *runContext, a *app) sweepView {
	switch {
	case ctx.isJSON():
		return &sweepObject{jsonList{out: ctx.stdout, begin: `{"orphans":[`}}
	case !ctx.isTable():
		return sweepNames{ctx.command}
	}
	return &sweepTable{runContext: ctx, app: a, orphans: newOrphanTable(ctx.limitFor(r.Limit), r.Sort)}
}

// sweepTable is for people. A sweep that publishes says only what it came to.
type sweepTable struct {
	*runContext
	app     *app
	orphans *orphanTable
}

func (t *sweepTable) showOrphan(o sweep.Orphan) error {
	if t.cli.Consumer.DryRun {
		t.orphans.add(o)
	}
	return nil
}

func (t *sweepTable) showReport(r sweep.Report, kept repo.Unsearchable, failed error) error {
	switch {
	case failed != nil:
		return nil
	case r.Earlier != nil:
		_, err := fmt.Fprintln(t.stdout, describeEarlier(t.cli.Once.Confirm, *r.Earlier, time.Now()))
		return err
	}
	if err := t.orphans.print(t.runContext, t.app); err != nil {
		return err
	}
	err := t.printTable(func(line func(...any)) {
		line("files", humanize.Comma(r.Files))
		line("orphans", humanize.Comma(r.Totals.Orphans))
		line("  chunks", humanize.Comma(r.Totals.Chunks), "of files without a row; those of the others are not counted")
		line("  bytes", humanize.IBytes(uint64(max(r.Totals.Bytes, 0))))
		line("published", humanize.Comma(r.Published))
		if r.Folders.Found+r.Folders.Failed > 0 {
			line("folders", humanize.Comma(r.Folders.Found), describeFolders(r.Folders))
		}
		if r.Rows != nil && r.Rows.Found+r.Rows.Records > 0 {
			line("rows", humanize.Comma(r.Rows.Found), describeRows(*r.Rows))
		}
		if r.Dangling != nil && r.Dangling.Found > 0 {
			line("dangling", humanize.Comma(r.Dangling.Found), describeDangling(*r.Dangling))
		}
		if kept.Files > 0 {
			line("kept", humanize.Comma(kept.Files), kept.String())
		}
		t.printCache(r.Cache, line)
		for _, hold := range r.Holds {
			line("held", humanize.Comma(hold.Found), fmt.Sprintf("%s of %s: %s", hold.Direction, hold.Store, hold.Reason))
		}
		if n := len(r.Foreign); n > 0 {
			line("foreign", n, "collections that are not Open WebUI's, and are never looked into or touched: "+strings.Join(r.Foreign[:min(n, maxForeign)], ", "))
		}
	})
	if text := describeLetGo(r, time.Now()); err == nil && text != "" {
		fmt.Fprintln(t.stdout, "\n"+text)
	}
	return err
}

// maxForeign bounds the collections that are named.
const maxForeign = 10

// describeLetGo says what a confirmation let go, and when that goes; it is empty where
// nothing was confirmed.
func describeLetGo(r sweep.Report, now time.Time) string {
	switch l := r.LetGo; {
	case l == nil, l.Files == 0 && (r.Folders.Removed > 0 || r.Dangling != nil && r.Dangling.Found > 0 && !r.Dangling.Kept):
		return ""
	case l.Files == 0 && len(r.Holds) > 0:
		return "confirmed; nothing goes yet: what else was found of it is still held"
	case l.Files == 0:
		return "confirmed; nothing of it is left to go: it is used by now, or gone"
	default:
		return sweep.FormatCount(l.Files, "files go when they are due, ") + describeFirst(l.FirstIn, now)
	}
}

// describeFirst says when the first of several goes.
func describeFirst(in int64, now time.Time) string {
	if in == 0 {
		return "the first now: `pruned run` deletes them"
	}
	return fmt.Sprintf("the first at %s, in %s", now.Add(time.Duration(in)*time.Second).Format("15:04"), roughDuration(in))
}

// describeEarlier says what is left of what was confirmed before.
func describeEarlier(id string, c sweep.Confirmation, now time.Time) string {
	text := fmt.Sprintf("%s was confirmed at %s; ", id, c.At.Local().Format(time.DateTime))
	if c.Left == 0 {
		return text + "nothing of it is left to go"
	}
	return fmt.Sprintf("%s%s of it are left, as of the last sweep, and go when they are due, %s", text, humanize.Comma(c.Left), describeFirst(c.FirstIn, now))
}

// printCache tells what became of the cache, or would without a dry run.
func (t *sweepTable) printCache(r *sweep.CacheReport, line func(...any)) {
	if r == nil {
		return
	}
	size, did := humanize.IBytes(uint64(max(r.Bytes, 0))), "removed"
	switch {
	case r.Waits != "":
		did = "stay: " + r.Waits
	case t.cli.Consumer.DryRun:
		did = "would be removed"
	}
	line("cached", humanize.Comma(r.Files), size+" "+did)
	if r.Failed > 0 {
		line("  failed", humanize.Comma(r.Failed), r.Failure)
	}
}

// describeFolders says what the folders of dropped collections take, and what became of them.
func describeFolders(f sweep.Folders) string {
	text := humanize.IBytes(uint64(f.Bytes)) + " left by collections that the application dropped"
	if f.Removed > 0 {
		text += fmt.Sprintf("; removed %s with %s", humanize.Comma(f.Removed), humanize.IBytes(uint64(f.Freed)))
	}
	if f.Failed > 0 {
		text += fmt.Sprintf("; %s cannot be removed", humanize.Comma(f.Failed))
	}
	return text
}

// describeRows says what rows nothing in the vector store can reach, and what became of them.
func describeRows(r sweep.Rows) string {
	text := "that no collection of the vector store has"
	if r.Records > 0 {
		text += fmt.Sprintf("; its queue keeps texts of chunks that are gone in %s records", humanize.Comma(r.Records))
	}
	if r.Removed+r.Cleared > 0 {
		text += fmt.Sprintf("; removed %s, emptied %s", humanize.Comma(r.Removed), humanize.Comma(r.Cleared))
	}
	if r.Waits != "" {
		text += "; they stay: " + r.Waits
	}
	return text
}

// describeDangling says of which tables rows are that nothing in the application can reach,
// and what became of them.
func describeDangling(d sweep.Dangling) string {
	text := "rows that nothing in Open WebUI can reach: " + shortCounts(d.Tables)
	if d.Kept {
		return text + "; they are kept (PRUNED_ROWS=dangling removes them)"
	}
	return text + "; removed " + humanize.Comma(d.Removed)
}

// shortCounts lists how many rows of which table.
func shortCounts(tables []repo.DanglingCount) string {
	parts := make([]string, len(tables))
	for i, c := range tables {
		parts[i] = fmt.Sprintf("%s of %s of %s", humanize.Comma(c.Found), humanize.Comma(c.Total), c.Table)
	}
	return strings.Join(parts, ", ")
}

// roughDuration writes a duration in its largest unit, to the nearest: what was set to 72h a
// moment ago ends in 3d.
func roughDuration(seconds int64) string {
	switch d := time.Duration(seconds) * time.Second; {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", seconds)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", (seconds+30)/60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", (seconds+1800)/3600)
	default:
		return fmt.Sprintf("%dd", (seconds+43200)/86400)
	}
}

// sweepNames writes ids alone, one a line: what is found in two stores comes twice.
type sweepNames struct{ *command }

func (n sweepNames) showOrphan(o sweep.Orphan) error {
	_, err := fmt.Fprintln(n.stdout, o.FileID)
	return err
}

func (sweepNames) showReport(sweep.Report, repo.Unsearchable, error) error { return nil }

// sweepObject writes one object on one line, orphans first, as they are found.
type sweepObject struct{ orphans jsonList }

func (o *sweepObject) showOrphan(orphan sweep.Orphan) error {
	o.orphans.appendValue(orphan)
	return o.orphans.err
}

// showReport completes the object, also of a sweep that failed: it says how far that came.
func (o *sweepObject) showReport(report sweep.Report, kept repo.Unsearchable, _ error) error {
	if kept.Examples == nil {
		kept.Examples = []string{} // a list, also an empty one
	}
	encoded, err := json.Marshal(struct {
		sweep.Report
		AlwaysKept repo.Unsearchable `json:"always_kept"`
	}{report, kept})
	if err != nil {
		return fmt.Errorf("encode the report of a sweep: %w", err)
	}
	return o.orphans.closeList("," + strings.TrimPrefix(string(encoded), "{") + "\n")
}
