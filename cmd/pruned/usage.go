package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"pruned/repo"
)

type usageCmd struct {
	By    string `enum:",kind,user,knowledge" default:"" placeholder:"kind|user|knowledge" help:"Only by kind, by user or by knowledge base; unset: all three."`
	Limit int    `default:"10" help:"How many users, knowledge bases and examples, the largest first; 0: all."`
}

// usageReport is where the storage is. What was not counted is null.
type usageReport struct {
	Kinds          []kindUsage  `json:"kinds,omitempty"`
	Users          []*useOf     `json:"users,omitempty"`
	UserCount      int          `json:"user_count,omitempty"`
	Knowledge      []*useOf     `json:"knowledge,omitempty"`
	KnowledgeCount int          `json:"knowledge_count,omitempty"`
	Ownerless      *int64       `json:"ownerless_chunks"` // in collections of nobody who has a row
	Missing        *missing     `json:"missing"`
	Repeated       *repeated    `json:"repeated"`
	NotCounted     []notCounted `json:"not_counted"`
}

// kindUsage is what one kind of thing takes of the disk. One that lies in another kind is
// counted there too.
type kindUsage struct {
	Kind  string `json:"kind"`
	In    string `json:"in,omitempty"`
	Count *int64 `json:"count"`
	Unit  string `json:"unit,omitempty"` // of the count
	Bytes *int64 `json:"bytes"`
	Where string `json:"where,omitempty"`
}

// useOf is what belongs to a user or a knowledge base.
type useOf struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Gone    bool   `json:"gone,omitempty"` // files are a user's who has no row
	Files   *int64 `json:"files"`          // rows
	Missing *int64 `json:"missing"`        // of them, whose bytes are missing
	Chunks  *int64 `json:"chunks"`
	Bytes   *int64 `json:"bytes"` // objects take that much
	Text    *int64 `json:"text_bytes"`
}

// missing are rows that name bytes which are not there.
type missing struct {
	Rows     int64    `json:"rows"`
	Examples []string `json:"examples"` // ids of files
}

// notCounted is a figure that is not told, and why. One that is only costly to tell, or
// that there is no such thing, is no failure.
type notCounted struct {
	Figure string `json:"figure"`
	Why    string `json:"why"`
	failed bool
}

var errNotCounted = errors.New("not everything could be counted")

// Validate refuses what no list is as long as.
func (r *usageCmd) Validate() error {
	if r.Limit < 0 {
		return fmt.Errorf("--limit is %d: wanted a number from 0 on", r.Limit)
	}
	return nil
}

// Run counts, and changes nothing. A store that cannot be looked into costs its figures
// alone.
func (r *usageCmd) Run(ctx *runContext) error {
	return ctx.runWith(ctx, func(a *app) error {
		count := newUsageCount(a)
		count.noteFailure(figureChunks, makeVectorStore(ctx, ctx.command, a))
		count.noteFailure(figureBytes, makeByteStore(ctx, ctx.command, a))
		bar := ctx.progressBar("counting")
		count.progress = stageProgress(bar)
		err := count.countAll(ctx, openCache(ctx.cli.Storage.DataDir))
		_ = bar.Exit()
		if err := cmp.Or(ctx.Err(), err); err != nil {
			return err
		}
		report := r.toReport(count)
		if err := report.printReport(ctx.command, r.By); err != nil {
			return err
		}
		if slices.ContainsFunc(report.NotCounted, func(n notCounted) bool { return n.failed }) {
			return errNotCounted
		}
		return nil
	}, openDatabase)
}

func (r *usageCmd) shows(part string) bool { return r.By == "" || r.By == part }

// toReport selects what is asked for.
func (r *usageCmd) toReport(c *usageCount) *usageReport {
	report := &usageReport{NotCounted: append([]notCounted{}, c.gaps...)}
	if r.shows("kind") {
		report.Kinds = c.kinds
	}
	if r.shows("user") {
		report.Users, report.UserCount = r.largest(c, c.users), len(c.users)
	}
	if r.shows("knowledge") {
		report.Knowledge, report.KnowledgeCount = r.largest(c, c.knowledge), len(c.knowledge)
	}
	if !c.isMissing(figureBytes) {
		report.Missing = &missing{c.missing, firstOf(r.Limit, c.missingIDs)}
	}
	if !c.isMissing(figureChunks) {
		report.Ownerless = &c.ownerless
	}
	report.Repeated = c.repeats.toReport(r.Limit, !c.isMissing(figureBytes))
	return report
}

// largest lists owners by what their objects take, their chunks, their ids.
func (r *usageCmd) largest(c *usageCount, owners map[string]*ownerUse) (list []*useOf) {
	all := make([]*ownerUse, 0, len(owners))
	for _, o := range owners {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *ownerUse) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(b.chunks, a.chunks), cmp.Compare(b.files, a.files), cmp.Compare(a.ID, b.ID))
	})
	for _, o := range firstOf(r.Limit, all) {
		list = append(list, o.toReport(c))
	}
	return list
}

// firstOf returns as many values as wanted: all where the limit is zero.
func firstOf[T any](limit int, values []T) []T {
	if limit > 0 && len(values) > limit {
		values = values[:limit]
	}
	return append([]T{}, values...)
}

// ownerUse is what was counted of a user or a knowledge base.
type ownerUse struct {
	repo.Owner
	isKnowledge, gone                   bool
	files, missing, chunks, bytes, text int64
}

func (o *ownerUse) toReport(c *usageCount) *useOf {
	use := &useOf{ID: o.ID, Name: o.Name, Gone: o.gone}
	if !o.isKnowledge || !c.isMissing(figureKnowledge) {
		use.Files, use.Text = &o.files, &o.text
		if !c.isMissing(figureBytes) {
			use.Missing, use.Bytes = &o.missing, &o.bytes
		}
	}
	if !c.isMissing(figureChunks) {
		use.Chunks = &o.chunks
	}
	return use
}
