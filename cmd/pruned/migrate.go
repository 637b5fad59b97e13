package main

import (
	"fmt"
	"strings"

	"pruned/vectors"
)

type migrateCmd struct {
	Indexes bool  `help:"Also make the index by which chunks of a file are found in knowledge bases (CREATE INDEX CONCURRENTLY)."`
	Capture *bool `negatable:"" help:"Also make triggers on the tables of Open WebUI that note which rows it writes, so that no batch reads large tables whole (PostgreSQL); --no-capture removes them."`
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
		if r.Capture != nil {
			said, err := r.capture(ctx, a)
			if err != nil {
				return err
			}
			done += said
		}
		return ctx.printDone(done)
	}, components...)
}

// capture makes the triggers that note what is written, or removes them.
func (r *migrateCmd) capture(ctx *runContext, a *app) (said string, err error) {
	if !*r.Capture {
		return ", and no trigger notes rows any more", a.db.ReleaseChanges(ctx)
	}
	captured, others, err := a.db.CaptureChanges(ctx)
	said = fmt.Sprintf(", and triggers note which rows of %d tables are written", len(captured))
	if len(others) > 0 {
		said += "; read whole as before: " + strings.Join(others, ", ")
	}
	return said, err
}
