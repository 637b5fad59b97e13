package pgvector

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/vectors"
)

// holdingsSQL looks at one chunk of each own collection, and at all those of the
// files in shared ones. Those are an array as it is, which PostgreSQL hashes, where it has no
// index for it; of a sub-select it does not know how few chunks match, and sorts all of them.
var holdingsSQL = `
SELECT f.id, f.collection, coalesce(nullif(c.maker, '` + unreadable + `'), '')
  FROM unnest($1::text[], $2::text[]) AS f (collection, id),
       LATERAL (SELECT {created_by} FROM ONLY {table} WHERE collection_name = f.collection LIMIT 1) AS c (maker)
 UNION ALL
SELECT id, collection_name, coalesce(min(nullif(maker, '` + unreadable + `')), '')
  FROM (SELECT {file_id}, collection_name, {created_by} FROM ONLY {table}
         WHERE {file_id} = ANY($2::text[]) AND ` + shared + `) AS c (id, collection_name, maker)
 GROUP BY 1, 2`

// Holdings goes by index or, where there is none, once through the table.
func (s *chunkTable) Holdings(ctx context.Context, ids []string) (list []vectors.Holding, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.inTableTx(ctx, "look where the chunks of files lie", func(tx ownTx, t *table) error {
		rows, _ := tx.Query(ctx, t.expandNames(holdingsSQL), t.withKey(s.key, vectors.FileCollections(ids), ids)...) // an error comes out of the rows as well
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[vectors.Holding])
		return describeFailure(err, "look for the chunks of %d files in %s", len(ids), t.quotedName())
	})
	return list, err
}

// strangeSQL reads names from their index, and asks about each once.
var strangeSQL = `
SELECT name FROM (SELECT DISTINCT collection_name FROM ONLY {table} OFFSET 0) AS c (name)
 WHERE NOT ` + knownCondition("name") + `
 ORDER BY name COLLATE "C" LIMIT $1::int`

// Strange lists collections that are not named as Open WebUI names them.
func (s *chunkTable) Strange(ctx context.Context) (names []string, err error) {
	err = s.inTableTx(ctx, "list the collections of others", func(tx ownTx, t *table) error {
		if _, err := tx.Exec(ctx, byIndex); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, t.expandNames(strangeSQL), vectors.MaxStrange) // an error comes out of the rows as well
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return describeFailure(err, "list the collections of %s", t.quotedName())
	})
	return names, err
}
