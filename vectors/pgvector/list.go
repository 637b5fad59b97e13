package pgvector

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"pruned/vectors"
)

const collectionsAPage = 500

// namesSQL counts from the index on the collection alone, as far as the table has been
// vacuumed. Whether a name is one of Open WebUI's is not asked for each row.
const namesSQL = `
SELECT collection_name, count(*)
  FROM ONLY {table}
 WHERE collection_name > $1::text AND ` + unowned + `
 GROUP BY collection_name
 ORDER BY collection_name LIMIT $2::int`

// ListCollections reads a page before it tells of it, so that the caller can ask for the
// points of each collection: sessions are few.
func (s *chunkTable) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		for after := ""; ; {
			page, err := s.readCollections(ctx, after)
			if err != nil {
				yield(vectors.Collection{}, err)
				return
			}
			for _, c := range page {
				after = c.Name
				if vectors.IsListed(c.Name) && !yield(c, nil) {
					return
				}
			}
			if len(page) < collectionsAPage {
				return
			}
		}
	}
}

func (s *chunkTable) readCollections(ctx context.Context, after string) (page []vectors.Collection, err error) {
	err = s.inTableTx(ctx, "list the collections", func(tx ownTx, t *table) error {
		if _, err := tx.Exec(ctx, byIndex); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, t.expandNames(namesSQL), after, collectionsAPage) // an error comes out of the rows as well
		page, err = pgx.CollectRows(rows, pgx.RowToStructByPos[vectors.Collection])
		return describeFailure(err, "list the collections of %s", t.quotedName())
	})
	return page, err
}

const pointsSQL = `
SELECT collection_name, id FROM ONLY {table} WHERE collection_name = ANY(ARRAY(SELECT unnest($1::text[])))`

// ListPoints tells of each point as it is read: no index has them in their order, so that
// each page would be sorted out of whole collections. The store can do nothing else
// meanwhile.
func (s *chunkTable) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		wanted := true
		err := vectors.CheckListed(collections...)
		if err == nil && len(collections) > 0 {
			err = s.inTableTx(ctx, "list the points of collections", func(tx ownTx, t *table) error {
				err := t.yieldPoints(ctx, tx, collections, func(p vectors.Point) bool {
					wanted = yield(p, nil)
					return wanted
				})
				return describeFailure(err, "list the ids of %d collections in %s", len(collections), t.quotedName())
			})
		}
		if err != nil && wanted {
			yield(vectors.Point{}, err)
		}
	}
}

func (t *table) yieldPoints(ctx context.Context, tx ownTx, collections []string, yield func(vectors.Point) bool) error {
	if _, err := tx.Exec(ctx, byIndex); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, t.expandNames(pointsSQL), collections) // an error comes out of the rows as well
	defer rows.Close()
	for rows.Next() {
		var p vectors.Point
		if err := rows.Scan(&p.Collection, &p.ID); err != nil {
			return err
		}
		if !yield(p) {
			return nil
		}
	}
	return rows.Err()
}
