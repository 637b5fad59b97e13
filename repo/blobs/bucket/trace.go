package bucket

import (
	"context"

	"pruned/repo/trace"
)

const traceStore = "bucket"

var _ trace.Searcher = (*Store)(nil)

// Trace searches the keys below the prefix, and the names of the copies; of the bytes it
// reads none.
func (s *Store) Trace(ctx context.Context, search *trace.Search) error {
	if err := s.checkOpen("search the keys"); err != nil {
		return err
	}
	seen := int64(0)
	for o, err := range s.Client.List(ctx, s.prefix) {
		if err != nil {
			return s.fail(ctx, "search the keys", err)
		}
		place := trace.Place{Store: traceStore, Table: s.Name, Row: o.Key, Column: "key", Count: search.Count([]byte(o.Key))}
		if err := search.AddCount(place); err != nil {
			return err
		}
		if seen++; seen%1000 == 0 {
			search.Progress(traceStore, seen, 0)
		}
	}
	search.NoteSearched(traceStore, "keys")
	if s.Copies == nil {
		return nil
	}
	return s.Copies.Trace(ctx, search)
}
