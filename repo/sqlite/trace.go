package sqlite

import (
	"context"

	"pruned/repo/trace"
)

// Trace searches webui.db, our own tables too.
func (db *DB) Trace(ctx context.Context, s *trace.Search) error {
	return translate(s.SQLite(ctx, "webui.db", db.pool), "search webui.db")
}
