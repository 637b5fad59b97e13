package main

import (
	"fmt"
	"math"
	"strings"

	"pruned/consumer"
	"pruned/repo"
	"pruned/vectors"
)

type explainCmd struct {
	ID string `arg:"" help:"File id."`
}

// explanation is the result of explain.
type explanation struct {
	ID         string               `json:"id"`
	Verdict    consumer.Outcome     `json:"verdict"` // that a claim would have now
	Why        string               `json:"why"`
	AgeS       float64              `json:"age_s"`
	Status     string               `json:"status"`
	References []repo.Mention       `json:"references"`
	Vectors    []vectors.Collection `json:"vectors"`
	Path       string               `json:"path"`
}

// Run explains one file, by the way that a claim would take, rolled back.
func (r *explainCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error {
		bar := ctx.bar("indexing references")
		err := p.db.Refresh(ctx, tableProgress(bar))
		_ = bar.Exit()
		if err != nil {
			return err
		}
		e, err := r.explain(ctx, p)
		if err != nil {
			return err
		}
		if ctx.json() {
			return ctx.object(e)
		}
		return e.print(ctx.command)
	}, migrated, vectorStore, uploads)
}

func (r *explainCmd) explain(ctx *runContext, p *parts) (*explanation, error) {
	e := &explanation{ID: r.ID, References: []repo.Mention{}, Vectors: []vectors.Collection{}}
	info, exists, err := p.db.Row(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	e.Path, e.Status, e.AgeS = info.Path, info.Status, math.Round(info.Age.Seconds())
	if exists {
		err = p.db.InTx(ctx, nil, func(tx repo.Tx) error {
			found, err := p.db.References(ctx, tx, r.ID)
			e.References = append(e.References, found...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	collections, err := p.store.Collections(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	e.Vectors = append(e.Vectors, collections...)
	transaction := ctx.transaction(p)
	transaction.DryRun = true
	report, err := transaction.Run(ctx, []consumer.Delivery{{Event: consumer.NewEvent(r.ID, "pruned/explain", "")}})
	if err != nil {
		return nil, err
	}
	e.Verdict, e.Why = report.Results[r.ID].Outcome, report.Results[r.ID].Detail
	return e, nil
}

func (e *explanation) print(c *command) error {
	return c.table(func(line func(...any)) {
		line("file", e.ID)
		line("verdict", strings.TrimSuffix(fmt.Sprintf("%s: %s", e.Verdict, e.Why), ": "))
		line("path", e.Path)
		line("age", fmt.Sprintf("%.0fs", e.AgeS))
		line("status", e.Status)
		for _, m := range e.References {
			line("reference", fmt.Sprintf("%s %s, column %s", m.Table, m.Row, m.Column), m.Path)
		}
		for _, v := range e.Vectors {
			line("vectors", v.Name, fmt.Sprintf("%d chunks", v.Chunks))
		}
	})
}
