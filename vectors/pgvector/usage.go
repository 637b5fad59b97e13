package pgvector

import (
	"context"
	"iter"

	"pruned/vectors"
)

var _ vectors.Measured = (*Store)(nil)

// countSQL counts by the index on the collection, encrypted or not.
const countSQL = `SELECT collection_name, count(*) FROM ONLY {table} GROUP BY collection_name`

// CountChunks counts by index, as far as the table has been vacuumed without the table.
func (s *chunkTable) CountChunks(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		wanted := true
		err := s.inTableTx(ctx, "count the chunks of collections", func(tx ownTx, t *table) error {
			if _, err := tx.Exec(ctx, byIndex); err != nil {
				return err
			}
			rows, _ := tx.Query(ctx, t.expandNames(countSQL)) // an error comes out of the rows as well
			defer rows.Close()
			var c vectors.Collection
			for wanted && rows.Next() {
				if err := rows.Scan(&c.Name, &c.Chunks); err != nil {
					return err
				}
				wanted = yield(c, nil)
			}
			rows.Close()
			return describeFailure(rows.Err(), "count the chunks in %s", t.quotedName())
		})
		if err != nil && wanted {
			yield(vectors.Collection{}, err)
		}
	}
}

// MeasureDisk measures the table with its indexes and texts.
func (s *chunkTable) MeasureDisk(ctx context.Context) (disk vectors.Disk, err error) {
	err = s.inTableTx(ctx, "measure the table of vectors", func(tx ownTx, t *table) error {
		disk.Where = "table " + t.schema + "." + tableName
		return tx.QueryRow(ctx, `SELECT pg_total_relation_size($1::text::regclass)`, t.quotedName()).Scan(&disk.Bytes)
	})
	return disk, err
}
