package chroma

import (
	"context"
	"fmt"
	"slices"
)

// sharedSQL lists a file's chunks in shared collections, a page at a time.
var sharedSQL = `
SELECT m.rowid, e.embedding_id, c.id
  FROM embedding_metadata m JOIN embeddings e ON e.id = m.id
  JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
 WHERE m.key = '` + fileKey + `' AND m.string_value = ?1 AND m.rowid > ?2
   AND c.database_id = ?3 AND ` + sharedOnes + `
 ORDER BY m.rowid LIMIT ?4`

// numberSQL is the number of the next record: where the queue was emptied, SQLite
// would give one that the collection has behind it. It reads a row of every
// collection, and is asked once in a transaction: nobody else numbers meanwhile.
const numberSQL = `
SELECT 1 + max(coalesce((SELECT max(seq_id) FROM embeddings_queue), 0), coalesce((SELECT max(seq_id) FROM max_seq_id), 0))`

const askSQL = `INSERT INTO embeddings_queue (seq_id, operation, topic, id) VALUES (?, ?, ?, ?)`

type sharedChunk struct{ id, collection string }

// requests are what goes into the queue together, whichever file it is about.
type requests struct {
	*session
	asked map[chunkKey]bool // what is there already
	fresh []sharedChunk
	made  int64
}

// ask asks for the deletion of a file's chunks, of each once, and says whether
// any chunk is still there.
func (r *requests) ask(ctx context.Context, file string) (waits bool, err error) {
	for after := int64(0); ; {
		page := 0
		err := r.query(ctx, func(scan func(...any) error) error {
			var one sharedChunk
			err := scan(&after, &one.id, &one.collection)
			if !r.asked[keyOf(one.collection, one.id)] {
				r.fresh = append(r.fresh, one)
			}
			page++
			return err
		}, sharedSQL, file, after, r.database, mostRows)
		if err != nil {
			return waits, fmt.Errorf("look for the chunks of file %s in shared collections: %w", file, err)
		}
		if page == 0 {
			return waits, nil
		}
		waits = true
		if len(r.fresh) >= mostRows {
			if err := r.flush(ctx); err != nil {
				return waits, err
			}
		}
	}
}

// flush puts into the queue what was asked for.
func (r *requests) flush(ctx context.Context) error {
	for some := range slices.Chunk(r.fresh, mostRows) {
		_, err := r.turn(ctx, func(tx *transaction) error {
			next, err := tx.number(numberSQL)
			if err != nil {
				return err
			}
			for i, chunk := range some {
				if err := tx.exec(askSQL, next+int64(i), deleteRecord, topicPrefix+chunk.collection, chunk.id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("ask for the deletion of %d chunks: %w", len(some), err)
		}
		r.made += int64(len(some))
	}
	r.fresh = r.fresh[:0]
	return nil
}
