package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/cmd/pruned/demo"
	"pruned/consumer/event"
)

// recorder remembers what became of each file.
type recorder struct {
	event.Handler

	mu      sync.Mutex
	results map[string]event.Result
}

// Handle is the handler's, remembered.
func (r *recorder) Handle(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
	results, err := r.Handler.Handle(ctx, events)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, result := range results {
		r.results[events[i].Subject] = result
	}
	return results, err
}

// kindResult is what became of the files of one kind.
type kindResult struct {
	What     string                `json:"what"`
	Files    int                   `json:"files"`
	Expected event.Outcome         `json:"expected"`
	Became   map[event.Outcome]int `json:"became"`
	Why      string                `json:"why"` // of the first
}

// isExpected says whether all of them became what was expected.
func (b kindResult) isExpected() bool { return b.Became[b.Expected] == b.Files }

func (d *demonstration) kindResults() (list []kindResult) {
	at := map[*demo.Kind]int{}
	for _, kind := range d.world.Kinds {
		at[kind] = len(list)
		list = append(list, kindResult{What: kind.What, Files: kind.Files, Expected: kind.Fate, Became: map[event.Outcome]int{}})
	}
	for _, f := range d.world.Files {
		b, result := &list[at[f.Kind]], d.results[f.ID]
		if len(b.Became) == 0 {
			b.Why = explainResult(result)
		}
		b.Became[result.Outcome]++
	}
	return list
}

func explainResult(r event.Result) string {
	switch {
	case r.Detail != "":
		return r.Detail
	case r.Outcome == event.Deleted:
		return "nothing mentions it"
	case r.Outcome == event.Gone:
		return "it has no row"
	}
	return "nobody told"
}

func (d *demonstration) printIntroduction() {
	if d.outer.isJSON() {
		return
	}
	fmt.Fprintf(d.outer.stdout, "A scratch installation in %s: SQLite, Chroma, %d files, %d vectors.\nSweeping; then reporting that every other file may be an orphan too.\n\n",
		d.world.Dir, len(d.world.Files), d.before.Chunks)
}

var errDiffers = errors.New("something differs from what was known")

// reportResults shows what became of the files, and fails if anything differs from what is
// known.
func (d *demonstration) reportResults(took time.Duration) error {
	kinds := d.kindResults()
	err := d.world.Verify(d.before, d.after)
	for _, kind := range kinds {
		if !kind.isExpected() {
			err = errors.Join(err, fmt.Errorf("%d files %q became %v: wanted %s", kind.Files, kind.What, kind.Became, kind.Expected))
		}
	}
	if err := d.printResults(kinds, took, err == nil); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errDiffers, err)
	}
	return nil
}

func (d *demonstration) printResults(kinds []kindResult, took time.Duration, ok bool) error {
	if d.outer.isJSON() {
		return d.outer.printObject(map[string]any{
			"ok": ok, "duration_s": took.Seconds(), "files": len(d.world.Files), "kinds": kinds,
			"before": countHoldings(d.before), "after": countHoldings(d.after),
		})
	}
	err := d.outer.printTable(func(line func(...any)) {
		line("FILES", "", "BECAME", "BECAUSE")
		for _, kind := range kinds {
			for outcome, n := range kind.Became {
				line(n, kind.What, outcome, kind.Why)
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(d.outer.stdout)
	return d.outer.printTable(func(line func(...any)) {
		line("", "BEFORE", "AFTER")
		line("rows of table file", len(d.before.Rows), len(d.after.Rows))
		line("collections of vectors", len(d.before.Collections), len(d.after.Collections))
		line("vectors", d.before.Chunks, d.after.Chunks)
		line("files of bytes", len(d.before.Bytes), len(d.after.Bytes))
		line("bytes", humanize.IBytes(uint64(d.before.Size)), humanize.IBytes(uint64(d.after.Size)))
		if ok {
			line(fmt.Sprintf("\nExactly what nothing uses is gone, after %.1fs; nothing is left of the installation.", took.Seconds()))
		}
	})
}

func countHoldings(h demo.Holdings) map[string]int64 {
	return map[string]int64{
		"rows": int64(len(h.Rows)), "collections": int64(len(h.Collections)), "chunks": int64(h.Chunks),
		"objects": int64(len(h.Bytes)), "bytes": h.Size,
	}
}
