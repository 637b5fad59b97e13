package chroma

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

const (
	// topicPrefix is Chroma's for every collection, whatever its tenant and
	// database. It skips records under another topic for ever.
	topicPrefix = "persistent://default/default/"
	// readAtOnce bounds a statement that reads the queue.
	readAtOnce = 5000
	// deleteRecord is Chroma's number for a record that deletes.
	deleteRecord = 3
)

// record is one of the queue, without its payload.
type record struct {
	seq        int64
	collection string
	id         string
	deletes    bool
}

// readQueue calls each with every record of the queue, in short statements, and
// returns the number of the last. It refuses topics that are not as we know
// them.
func (s *session) readQueue(ctx context.Context, each func([]record) error) (last int64, err error) {
	for {
		var page []record
		err := s.queryEach(ctx, func(scan func(...any) error) error {
			var r record
			var topic string
			if err := scan(&r.seq, &topic, &r.id, &r.deletes); err != nil {
				return err
			}
			var known bool
			if r.collection, known = strings.CutPrefix(topic, topicPrefix); !known {
				return fmt.Errorf("the queue of %s has topic %q, which does not begin with %s", databaseFile, topic, topicPrefix)
			}
			page = append(page, r)
			return nil
		}, `SELECT seq_id, topic, id, operation = 3 FROM embeddings_queue WHERE seq_id > ? ORDER BY seq_id LIMIT ?`, last, readAtOnce)
		if err != nil || len(page) == 0 {
			return last, err
		}
		last = page[len(page)-1].seq
		if err := each(page); err != nil {
			return last, err
		}
	}
}

// chunkKey stands for a chunk's id in a collection; many may wait.
type chunkKey [16]byte

func keyOf(collection, id string) chunkKey {
	sum := sha256.Sum256([]byte(collection + "/" + id))
	return chunkKey(sum[:16])
}

// appliedSQL says how far Chroma has got with each shared collection.
const appliedSQL = `
SELECT c.id, coalesce(max(m.seq_id), 0)
  FROM collections c JOIN segments s ON s.collection = c.id AND s.scope = 'METADATA'
  LEFT JOIN max_seq_id m ON m.segment_id = s.id
 WHERE substr(c.name, 1, 5) <> '` + ownPrefix + `'
 GROUP BY c.id`

// findPendingDeletes returns the chunks that Chroma was asked to delete and has not yet. It reads
// the whole queue, so that a topic we do not know stops us before anything is
// changed.
func (s *session) findPendingDeletes(ctx context.Context) (map[chunkKey]bool, error) {
	applied := map[string]int64{}
	err := s.queryEach(ctx, func(scan func(...any) error) error {
		var id string
		var seq int64
		err := scan(&id, &seq)
		applied[id] = seq
		return err
	}, appliedSQL)
	if err != nil {
		return nil, err
	}
	waiting := map[chunkKey]bool{}
	_, err = s.readQueue(ctx, func(page []record) error {
		for _, r := range page {
			if seq, shared := applied[r.collection]; shared && r.deletes && r.seq > seq {
				waiting[keyOf(r.collection, r.id)] = true
			}
		}
		return nil
	})
	return waiting, err
}

// dropHidden removes what the queue holds of collections that were taken away, and
// then the last that tells of them.
func (s *session) dropHidden(ctx context.Context, dead []segment) error {
	gone := map[string]bool{}
	var topics []string
	for _, one := range dead {
		if !gone[one.collection] {
			gone[one.collection] = true
			topics = append(topics, topicPrefix+one.collection)
		}
	}
	last, err := s.readQueue(ctx, func(page []record) error {
		var theirs []int64
		for _, r := range page {
			if gone[r.collection] {
				theirs = append(theirs, r.seq)
			}
		}
		return s.dequeue(ctx, theirs)
	})
	if err != nil {
		return err
	}
	_, err = s.inTxAndRest(ctx, func(tx *transaction) error {
		if left, err := tx.readNumber(leftSQL, jsonArray(segmentIDs(dead, "METADATA"))); left > 0 || err != nil {
			return err // a chunk came after all; they are looked at again
		}
		for _, sql := range forgetSQL {
			if err := tx.exec(sql, jsonArray(segmentIDs(dead, "")), jsonArray(topics), last); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// unqueueSQL spares the last record of all: the number after it is the next
// that SQLite gives, and no living collection may get one that it has behind it.
const unqueueSQL = `
DELETE FROM embeddings_queue
 WHERE seq_id IN (SELECT value FROM json_each(?)) AND seq_id < (SELECT max(seq_id) FROM embeddings_queue)`

func (s *session) dequeue(ctx context.Context, records []int64) error {
	for some := range slices.Chunk(records, mostRows) {
		if _, err := s.inTxAndRest(ctx, func(tx *transaction) error { return tx.exec(unqueueSQL, jsonArray(some)) }); err != nil {
			return err
		}
	}
	return nil
}

const leftSQL = `SELECT EXISTS (SELECT 1 FROM embeddings WHERE segment_id IN (SELECT value FROM json_each(?)))`

// forgetSQL: ?1 are segments, ?2 topics, ?3 is the last record that was looked
// at. A last record of all that must stay keeps nothing but its number.
var forgetSQL = []string{
	`DELETE FROM max_seq_id WHERE segment_id IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM embeddings_queue
	  WHERE seq_id >= ?3 AND topic IN (SELECT value FROM json_each(?2))
	    AND seq_id < (SELECT max(seq_id) FROM embeddings_queue)`,
	`DELETE FROM embeddings_queue
	  WHERE seq_id >= ?3 AND topic IN (SELECT value FROM json_each(?2))
	    AND coalesce((SELECT max(q.seq_id) FROM embeddings_queue q WHERE q.seq_id < embeddings_queue.seq_id), 0)
	        >= coalesce((SELECT max(seq_id) FROM max_seq_id), 0)`,
	`UPDATE embeddings_queue SET operation = 3, vector = NULL, encoding = NULL, metadata = NULL
	  WHERE seq_id >= ?3 AND topic IN (SELECT value FROM json_each(?2))`,
	`DELETE FROM segment_metadata WHERE segment_id IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM segments WHERE id IN (SELECT value FROM json_each(?1))`,
}
