package pgvector

import (
	"context"
	"errors"

	"pruned/repo/trace"
)

var _ trace.Searcher = (*Store)(nil)

var errEncrypted = errors.New("texts and metadata are encrypted: only which chunks are of a file of this id is known")

// Trace tells what the search of the database's tables, to which this one belongs, cannot
// see in it: chunks of a file in a table that is encrypted.
func (s *Store) Trace(ctx context.Context, search *trace.Search) error {
	encrypted := false
	err := s.inTableTx(ctx, "look at the table of vectors", func(_ ownTx, t *table) error {
		encrypted = t.encrypted
		return nil
	})
	if err != nil || !encrypted {
		return err
	}
	return s.traceEncrypted(ctx, search)
}

// traceEncrypted tells which chunks are of a file of this id.
func (s *chunkTable) traceEncrypted(ctx context.Context, search *trace.Search) error {
	collections, err := s.Collections(ctx, search.ID)
	if err != nil {
		return err
	}
	for _, c := range collections {
		if err := search.AddCount(trace.Place{Store: "pgvector", Table: c.Name, Column: "file_id", Count: c.Chunks}); err != nil {
			return err
		}
	}
	search.NoteGap("pgvector", tableName, errEncrypted)
	return nil
}
