package main

import (
	"pruned/vectors"
)

type migrateCmd struct {
	Indexes bool `help:"Also make the index by which chunks of a file are found in knowledge bases (CREATE INDEX CONCURRENTLY)."`
}

// Run brings our own tables up to date.
func (r *migrateCmd) Run(ctx *runContext) error {
	makers := []maker{migrated}
	if r.Indexes {
		makers = append(makers, vectorStore)
	}
	return ctx.with(ctx, func(p *parts) error {
		done := "pruned's own tables are up to date"
		switch store, ok := p.store.(vectors.Indexer); {
		case ok:
			if err := store.Index(ctx); err != nil {
				return err
			}
			done += ", and so is the index on document_chunk"
		case r.Indexes:
			done += ", and this vector store needs no index"
		}
		return ctx.say(done)
	}, makers...)
}
