package pgvector

import (
	"context"
	"iter"

	"pruned/vectors"
)

// chunksSQL reads collections by the index on their names. What cannot be decrypted is
// nobody's.
const chunksSQL = `
SELECT collection_name, file_id, id
  FROM (SELECT collection_name, {file_id}, id FROM ONLY {table}
         WHERE collection_name = ANY(ARRAY(SELECT unnest($1::text[]))) AND {named}) AS c (collection_name, file_id, id)
 WHERE file_id NOT IN ('', '` + unreadable + `') AND (cardinality($2::text[]) = 0 OR file_id = ANY($2::text[]))`

// ListChunks tells of each chunk as it is read. The store can do nothing else meanwhile.
func (s *chunkTable) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		wanted := true
		err := vectors.CheckKnowledge(knowledge)
		if err == nil && len(knowledge) > 0 {
			err = s.inTableTx(ctx, "list the chunks of knowledge bases", func(tx ownTx, t *table) error {
				err := s.yieldChunks(ctx, tx, t, knowledge, files, func(c vectors.FileChunk) bool {
					wanted = yield(c, nil)
					return wanted
				})
				return describeFailure(err, "list the chunks of %d knowledge bases in %s", len(knowledge), t.quotedName())
			})
		}
		if err != nil && wanted {
			yield(vectors.FileChunk{}, err)
		}
	}
}

func (s *chunkTable) yieldChunks(ctx context.Context, tx ownTx, t *table, knowledge, files []string, yield func(vectors.FileChunk) bool) error {
	if files == nil {
		files = []string{}
	}
	rows, _ := tx.Query(ctx, t.expandNames(chunksSQL), t.withKey(s.key, knowledge, files)...) // an error comes out of the rows as well
	defer rows.Close()
	for rows.Next() {
		var c vectors.FileChunk
		if err := rows.Scan(&c.Collection, &c.FileID, &c.ID); err != nil {
			return err
		}
		if !yield(c) {
			return nil
		}
	}
	return rows.Err()
}
