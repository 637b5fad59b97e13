package pgvector

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/vectors"
)

// collectionsSQL has one half for each index.
var collectionsSQL = `
SELECT collection_name, count(*)
  FROM (SELECT collection_name FROM ONLY {table} WHERE collection_name = $1::text
         UNION ALL
        SELECT collection_name FROM ONLY {table} WHERE {file_id} = $2::text AND ` + shared + `) AS c
 GROUP BY collection_name
 ORDER BY collection_name COLLATE "C"`

// Collections lists where chunks of one file lie, in the byte order of the
// names. Without the index on the file's id it reads the whole table.
func (s *chunkTable) Collections(ctx context.Context, id string) (collections []vectors.Collection, err error) {
	err = s.inTableTx(ctx, "list the collections of file "+id, func(tx ownTx, t *table) error {
		args := t.withKey(s.key, vectors.FileCollection(id), id)
		rows, _ := tx.Query(ctx, t.expandNames(collectionsSQL), args...) // an error comes out of the rows as well
		collections, err = pgx.CollectRows(rows, pgx.RowToStructByPos[vectors.Collection])
		return describeFailure(err, "count chunks in %s", t.quotedName())
	})
	return collections, err
}
