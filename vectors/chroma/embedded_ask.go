package chroma

import (
	"context"
	"fmt"
	"slices"

	"pruned/vectors"
)

// sharedSQL lists a file's chunks in shared collections, a page at a time.
var sharedSQL = `
SELECT m.rowid, m.id, e.embedding_id, c.id
  FROM embedding_metadata m JOIN embeddings e ON e.id = m.id
  JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
 WHERE m.key = '` + fileKey + `' AND m.string_value = ?1 AND m.rowid > ?2
   AND c.database_id = ?3 AND ` + sharedOnes + `
 ORDER BY m.rowid LIMIT ?4`

// inSharedSQL lists those of many files that chunks name: as soon as the files' own
// collections are gone these are few.
const inSharedSQL = `
SELECT value FROM json_each(?1) f
 WHERE EXISTS (SELECT 1 FROM embedding_metadata m WHERE m.key = '` + fileKey + `' AND m.string_value = f.value)`

// numberSQL is the number of the next record: where the queue was emptied, SQLite
// would give one that the collection has behind it. It reads a row of every
// collection, and is asked once in a transaction: nobody else numbers meanwhile.
const numberSQL = `
SELECT 1 + max(coalesce((SELECT max(seq_id) FROM embeddings_queue), 0), coalesce((SELECT max(seq_id) FROM max_seq_id), 0))`

const askSQL = `INSERT INTO embeddings_queue (seq_id, operation, topic, id) VALUES (?, ?, ?, ?)`

// unhashSQL takes the hash of its text from a chunk that is to go. Until Chroma applies the
// deletion it still finds the chunk, and Open WebUI refuses a text whose hash it finds in
// the same collection. Chroma deletes a chunk by its id, whatever is in its metadata.
const unhashSQL = `
UPDATE embedding_metadata SET string_value = ''
 WHERE id = ?1 AND key = '` + hashKey + `' AND EXISTS (SELECT 1 FROM embeddings e WHERE e.id = ?1 AND e.embedding_id = ?2)`

// doomedChunk is one that Chroma is to delete. subject is what the guard knows it by: its
// file, or its own id.
type doomedChunk struct {
	row                     int64 // in table embeddings, of a chunk that may have a hash
	id, collection, subject string
}

// requests are what goes into the queue together, whichever file or point it is about.
type requests struct {
	*session
	asked map[chunkKey]bool // what is there already
	fresh []doomedChunk
	made  int64
	guard vectors.Guard
}

// requestDeletes asks for the deletion of a file's chunks, of each once, and says whether
// any chunk is still there.
func (r *requests) requestDeletes(ctx context.Context, file string) (waits bool, err error) {
	for after := int64(0); ; {
		page := 0
		err := r.queryEach(ctx, func(scan func(...any) error) error {
			one := doomedChunk{subject: file}
			err := scan(&after, &one.row, &one.id, &one.collection)
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
			if err := r.sendRequests(ctx); err != nil {
				return waits, err
			}
		}
	}
}

// sendRequests puts into the queue what was asked for, but for what must stay, and takes the
// hashes of those chunks.
func (r *requests) sendRequests(ctx context.Context) error {
	for some := range slices.Chunk(r.fresh, mostRows) {
		var sent []chunkKey
		_, err := r.inTxAndRest(ctx, func(tx *transaction) error {
			may, err := r.guard(ctx, subjectsOf(some))
			if err != nil {
				return err
			}
			next, err := tx.readNumber(numberSQL)
			if err != nil {
				return err
			}
			allowed := setOf(may)
			for _, chunk := range some {
				if !allowed[chunk.subject] {
					continue
				}
				if err := tx.exec(askSQL, next+int64(len(sent)), deleteRecord, topicPrefix+chunk.collection, chunk.id); err != nil {
					return err
				}
				if err := tx.exec(unhashSQL, chunk.row, chunk.id); err != nil {
					return err
				}
				sent = append(sent, keyOf(chunk.collection, chunk.id))
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("ask for the deletion of %d chunks: %w", len(some), err)
		}
		for _, key := range sent {
			r.asked[key] = true
		}
		r.made += int64(len(sent))
	}
	r.fresh = r.fresh[:0]
	return nil
}

// subjectsOf are the subjects of chunks, each once; those of one file stand together.
func subjectsOf(chunks []doomedChunk) (subjects []string) {
	for _, chunk := range chunks {
		if n := len(subjects); n == 0 || subjects[n-1] != chunk.subject {
			subjects = append(subjects, chunk.subject)
		}
	}
	return subjects
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, one := range list {
		set[one] = true
	}
	return set
}
