package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"pruned/repo/trace"
	"pruned/vectors"
)

type traceCmd struct {
	ID string `arg:"" help:"Id, or any other text of 8 characters and more."`
}

var (
	errFound  = errors.New("it still occurs")
	errUnsure = errors.New("it was found nowhere, but not everything could be searched")
	// errNoSearch is why a store that has no search of its own is not searched.
	errNoSearch = errors.New("this store cannot be searched")
)

// Validate refuses what would be found everywhere, or nowhere.
func (r *traceCmd) Validate() error {
	_, err := trace.NewText(r.ID)
	return err
}

// Run searches everything that holds rows, vectors, names or events, and changes nothing.
// What cannot be opened does not end it.
func (r *traceCmd) Run(ctx *runContext) error {
	text, err := trace.NewText(r.ID)
	if err != nil {
		return err
	}
	return ctx.runWith(ctx, func(a *app) error {
		bar := ctx.progressBar("searching")
		show := ctx.newTraceView(r.ID)
		s := &trace.Search{Text: text, Each: show.showPlace, Progress: stageProgress(bar)}
		err := ctx.traceStores(ctx, a, s)
		_ = bar.Exit()
		if err := cmp.Or(err, show.showEnd(s)); err != nil {
			return err
		}
		switch {
		case s.Found > 0:
			return fmt.Errorf("%w in %d places", errFound, s.Found)
		case len(s.Gaps) > 0:
			return errUnsure
		}
		return nil
	})
}

// traceStores searches each store that opens. What fails is a gap, but for an end that was
// asked for, and a result that nobody reads.
func (c *command) traceStores(ctx *runContext, a *app, s *trace.Search) error {
	for _, store := range []struct {
		name   string
		open   component
		opened func() any
	}{
		{"database", openDatabase, func() any { return a.db.Inspector }},
		{"vectors", makeVectorStore, func() any { return a.store }},
		{"uploads", makeByteStore, func() any { return a.blobs }},
		{"queue", openFoundQueue, func() any { return a.queue }},
	} {
		told := s.Each
		var broken error
		s.Each = func(p trace.Place) error { broken = told(p); return broken }
		err := c.traceStore(ctx, a, s, store.name, store.open, store.opened)
		s.Each = told
		if err := cmp.Or(ctx.Err(), broken); err != nil {
			return err
		}
		if err != nil {
			s.NoteGap(store.name, "", err)
		}
		if store.name == "database" && err != nil && a.db.Admin == nil {
			return nil // by which the others are known
		}
	}
	return nil
}

func (c *command) traceStore(ctx *runContext, a *app, s *trace.Search, name string, open component, opened func() any) error {
	if err := open(ctx, c, a); errors.Is(err, errNotThere) {
		s.NoteSearched(name, err.Error())
		return nil
	} else if err != nil {
		return err
	}
	store := opened()
	if _, none := store.(vectors.None); none {
		return nil
	}
	searcher, can := store.(trace.Searcher)
	if !can {
		return errNoSearch
	}
	return searcher.Trace(ctx, s)
}

// traceView shows places while they are found: there may be too many to be kept.
type traceView interface {
	showPlace(trace.Place) error
	showEnd(*trace.Search) error
}

func (c *command) newTraceView(id string) traceView {
	if !c.isJSON() {
		return &traceTable{command: c}
	}
	begin, err := json.Marshal(id)
	return &traceObject{jsonList{out: c.stdout, begin: `{"id":` + string(begin) + `,"found":[`, err: err}}
}

// traceTable is for people, in columns as wide as what is usually in them.
type traceTable struct {
	*command
	lines int
}

const traceLine = "%-14s  %-32s  %-36s  %-20s  %s\n"

func (t *traceTable) showPlace(p trace.Place) error {
	if t.lines++; t.lines == 1 {
		fmt.Fprintf(t.stdout, traceLine, "STORE", "TABLE", "ROW", "COLUMN", "TIMES")
	}
	_, err := fmt.Fprintf(t.stdout, traceLine, p.Store, p.Table, p.Row, p.Column, fmt.Sprint(p.Count))
	return err
}

func (t *traceTable) showEnd(s *trace.Search) error {
	for _, gap := range s.Gaps {
		fmt.Fprintf(t.stdout, "not searched: %s %s: %s\n", gap.Store, gap.Name, gap.Why)
	}
	_, err := fmt.Fprintf(t.stdout, "found in %d places, of %d tables, collections, folders and streams that were searched\n", s.Found, len(s.Searched))
	return err
}

// traceObject writes one object on one line.
type traceObject struct{ places jsonList }

func (o *traceObject) showPlace(p trace.Place) error {
	o.places.appendValue(p)
	return o.places.err
}

func (o *traceObject) showEnd(s *trace.Search) error {
	encoded, err := json.Marshal(struct {
		Searched    []trace.Part `json:"searched"`
		NotSearched []trace.Gap  `json:"not_searched"`
	}{append([]trace.Part{}, s.Searched...), append([]trace.Gap{}, s.Gaps...)})
	if err != nil {
		return fmt.Errorf("encode what was searched: %w", err)
	}
	return o.places.closeList("," + string(encoded[1:]) + "\n")
}
