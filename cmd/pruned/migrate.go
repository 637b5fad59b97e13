package main

import (
	"pruned/vectors"
)

type migrateCmd struct {
	Indexes bool `help:"Also make the index by which chunks of a file are found in knowledge bases (CREATE INDEX CONCURRENTLY)."`
}

// Run brings our own tables up to date.
func (r *migrateCmd) Run(ctx *runContext) error {
	components := []component{openMigrated}
	if r.Indexes {
		components = append(components, openVectorStore)
	}
	return ctx.runWith(ctx, func(a *app) error {
		done := "pruned's own tables are up to date"
		switch store, ok := a.store.(vectors.Indexer); {
		case ok:
			if err := store.Index(ctx); err != nil {
				return err
			}
			done += ", and so is the index on document_chunk"
		case r.Indexes:
			done += ", and this vector store needs no index"
		}
		return ctx.printDone(done)
	}, components...)
}
