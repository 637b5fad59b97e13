package pgvector

import (
	"context"

	"pruned/repo/trace"
)

var _ trace.Searcher = (*Remote)(nil)

const tracedSQL = `SELECT collection_name, id, coalesce(text, ''), coalesce(vmetadata::text, '') FROM ONLY {table}`

// Trace reads every chunk of the table, but for vectors. In an encrypted one it finds by
// its id alone what is a file's.
func (r *Remote) Trace(ctx context.Context, search *trace.Search) error {
	encrypted := false
	err := r.inTableTx(ctx, "search the table of vectors", func(tx ownTx, t *table) error {
		if encrypted = t.encrypted; encrypted {
			return nil
		}
		if err := r.traceChunks(ctx, tx, t, search); err != nil {
			return describeFailure(err, "search %s", t.quotedName())
		}
		search.NoteSearched(r.name, tableName)
		return nil
	})
	if err != nil || !encrypted {
		return err
	}
	return r.traceEncrypted(ctx, search)
}

func (r *Remote) traceChunks(ctx context.Context, tx ownTx, t *table, search *trace.Search) error {
	rows, _ := tx.Query(ctx, t.expandNames(tracedSQL)) // an error comes out of the rows as well
	defer rows.Close()
	for rows.Next() {
		place := trace.Place{Store: r.name, Table: tableName}
		columns := []string{"collection_name", "id", "text", "vmetadata"}
		values := make([]string, len(columns))
		if err := rows.Scan(&values[0], &values[1], &values[2], &values[3]); err != nil {
			return err
		}
		for i, column := range columns {
			place.Row, place.Column, place.Count = values[1], column, search.Count([]byte(values[i]))
			if err := search.AddCount(place); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}
