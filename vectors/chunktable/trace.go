package chunktable

import (
	"context"

	"pruned/repo/trace"
)

var _ trace.Searcher = (*Store)(nil)

// Trace reads every chunk, but for vectors.
func (s *Store) Trace(ctx context.Context, search *trace.Search) error {
	columns := []string{"id", "collection_name", "text", "vmetadata"}
	q := statement{from: "id, collection_name, text, vmetadata"}
	for values, err := range s.query(ctx, "search the chunks", q, len(columns)) {
		if err != nil {
			return err
		}
		for i, column := range columns {
			place := trace.Place{Store: s.dialect.Name, Table: tableName, Row: values[0].String, Column: column, Count: search.Count([]byte(values[i].String))}
			if err := search.AddCount(place); err != nil {
				return err
			}
		}
	}
	search.NoteSearched(s.dialect.Name, tableName)
	return nil
}
