package chroma

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What Chroma is to do it reads from its queue, and there it leaves it: of a collection with
// fewer records than it writes its index of vectors after (1,000) for good, also where the
// collection, or the chunk, is gone. Records of a collection that is gone nobody reads.
//
// Of a living collection Chroma reads what is beyond the number that the segment has in
// max_seq_id, that of the metadata or that of the vectors, when it starts. Chroma 1 looks
// there alone; the file of an index from an older one may have a number of its own, which
// Chroma copies into the table when it opens it. So a collection of which the table has not
// both numbers is left alone, and so are all its records that not both have behind them. No
// record of a living collection is deleted: the next number of all is that after the last.

// queued is a record of the queue.
type queued struct {
	seq        int64
	topic, id  string
	collection string
	old        bool // enough
	holds      bool // a vector, or more metadata than none
}

// queuePageSQL reads no vector and no metadata.
const queuePageSQL = `
SELECT seq_id, topic, id, created_at <= ?2, ` + holdsSQL + ` FROM embeddings_queue WHERE seq_id > ?1 ORDER BY seq_id LIMIT ?3`

// holdsSQL: Chroma writes no metadata as {}.
const holdsSQL = `(vector IS NOT NULL OR coalesce(octet_length(metadata), 0) > 2)`

// visitQueue refuses topics that are not as we know them.
func (r *lostRows) visitQueue(ctx context.Context) error {
	for last := int64(0); ; {
		var page []queued
		err := r.queryEach(ctx, func(scan func(...any) error) error {
			var q queued
			if err := scan(&q.seq, &q.topic, &q.id, &q.old, &q.holds); err != nil {
				return err
			}
			var known bool
			if q.collection, known = strings.CutPrefix(q.topic, topicPrefix); !known {
				return fmt.Errorf("the queue of %s has topic %q, which does not begin with %s", databaseFile, q.topic, topicPrefix)
			}
			page = append(page, q)
			return nil
		}, queuePageSQL, last, r.before, readAtOnce)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1].seq
		if err := r.visitRecords(ctx, page); err != nil {
			return err
		}
	}
}

var lostNamesSQL = "SELECT value FROM json_each(?) WHERE " + lostCollection("value")

// visitRecords asks about the collections when the records were read: a collection is
// there before any record of it.
func (r *lostRows) visitRecords(ctx context.Context, page []queued) error {
	var names []string
	seen := map[string]bool{}
	for _, q := range page {
		if !seen[q.collection] {
			seen[q.collection] = true
			names = append(names, q.collection)
		}
	}
	gone, err := queryColumn[string](ctx, r.session, lostNamesSQL, jsonArray(names))
	if err != nil {
		return err
	}
	lost := map[string]bool{}
	for _, collection := range gone {
		lost[collection] = true
	}
	carriedOut, err := r.readCarriedOut(ctx, names)
	if err != nil {
		return err
	}
	var dead []int64
	var done []queued
	for _, q := range page {
		by, living := carriedOut[q.collection]
		switch {
		case !q.old:
		case lost[q.collection]:
			dead = append(dead, q.seq)
		case living && q.holds && q.seq <= by.seq:
			done = append(done, q)
		}
	}
	if err := r.dropRecords(ctx, dead); err != nil {
		return err
	}
	return r.clearRecords(ctx, done, carriedOut)
}

// carried is how far both segments of a collection have got.
type carried struct {
	collection, metadata, vector string // ids
	seq                          int64
}

const carriedOutSQL = `
SELECT s.collection, max(CASE s.scope WHEN 'METADATA' THEN s.id END), max(CASE s.scope WHEN 'VECTOR' THEN s.id END), min(m.seq_id)
  FROM segments s LEFT JOIN max_seq_id m ON m.segment_id = s.id
 WHERE s.collection IN (SELECT value FROM json_each(?)) AND s.collection IN (SELECT id FROM collections)
 GROUP BY s.collection
HAVING count(*) = 2 AND count(m.seq_id) = 2 AND count(DISTINCT s.scope) = 2 AND min(s.scope) = 'METADATA' AND max(s.scope) = 'VECTOR'`

// readCarriedOut leaves out collections of which it is not sure, also those whose index of
// vectors is not on the disk.
func (r *lostRows) readCarriedOut(ctx context.Context, collections []string) (map[string]carried, error) {
	list, err := queryList(ctx, r.session, func(c *carried) []any { return []any{&c.collection, &c.metadata, &c.vector, &c.seq} },
		carriedOutSQL, jsonArray(collections))
	sure := map[string]carried{}
	for _, c := range list {
		if info, err := r.dir.Lstat(filepath.Join(c.vector, indexFile)); err == nil && info.Mode().Type() == os.FileMode(0) {
			sure[c.collection] = c
		}
	}
	return sure, err
}

// indexFile is what Chroma writes last of an index of vectors.
const indexFile = "index_metadata.pickle"

// What becomes of records of collections that are gone. The last of all keeps its number,
// as a deletion of what is not there.
var (
	deadRecordSQL = `seq_id IN (SELECT value FROM json_each(?1)) AND created_at <= ?2
   AND topic GLOB '` + topicPrefix + `*' AND ` + lostCollection(fmt.Sprintf("substr(topic, %d)", len(topicPrefix)+1))
	notLastSQL    = ` AND seq_id < (SELECT max(seq_id) FROM embeddings_queue)`
	deadCountSQL  = `SELECT count(*) FROM embeddings_queue WHERE ` + deadRecordSQL + ` AND (` + holdsSQL + ` OR seq_id < (SELECT max(seq_id) FROM embeddings_queue))`
	deadDeleteSQL = `DELETE FROM embeddings_queue WHERE ` + deadRecordSQL + notLastSQL
	deadClearSQL  = clearSQL + deadRecordSQL + ` AND ` + holdsSQL
)

const clearSQL = `UPDATE embeddings_queue SET operation = 3, vector = NULL, encoding = NULL, metadata = NULL WHERE `

func (r *lostRows) dropRecords(ctx context.Context, dead []int64) error {
	for len(dead) > 0 {
		some := dead[:min(len(dead), r.limit(readAtOnce))]
		dead = dead[len(some):]
		if !r.remove {
			count, err := queryColumn[int64](ctx, r.session, deadCountSQL, jsonArray(some), r.before)
			if err != nil {
				return err
			}
			r.Rows += count[0]
			continue
		}
		var gone, cleared int64
		err := r.change(ctx, func(tx *transaction) (err error) {
			if gone, err = tx.countChanged(deadDeleteSQL, jsonArray(some), r.before); err != nil {
				return err
			}
			cleared, err = tx.countChanged(deadClearSQL, jsonArray(some), r.before)
			return err
		})
		if err != nil {
			return err
		}
		r.Rows += gone + cleared
	}
	return nil
}

// doneRecordSQL: both segments have the record behind them, and the chunk is gone. What is
// left of it is a deletion: also whoever read the queue anew would not miss its vector.
const (
	doneRecordSQL = `seq_id = ?1 AND topic = ?2 AND id = ?3 AND created_at <= ?4 AND ` + holdsSQL + `
   AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.segment_id = ?5 AND e.embedding_id = ?3)
   AND ?1 <= (SELECT min(m.seq_id) FROM max_seq_id m WHERE m.segment_id IN (?5, ?6) HAVING count(*) = 2)`
	doneCountSQL = `SELECT count(*) FROM embeddings_queue WHERE ` + doneRecordSQL
	doneClearSQL = clearSQL + doneRecordSQL
)

func (r *lostRows) clearRecords(ctx context.Context, done []queued, by map[string]carried) error {
	gone := make([]queued, 0, len(done))
	for _, q := range done {
		count, err := queryColumn[int64](ctx, r.session, doneCountSQL, r.doneArgs(q, by)...)
		if err != nil {
			return err
		}
		if count[0] > 0 {
			gone = append(gone, q)
		}
	}
	if !r.remove {
		r.Records += int64(len(gone))
		return nil
	}
	for len(gone) > 0 {
		some := gone[:min(len(gone), r.limit(readAtOnce))]
		gone = gone[len(some):]
		var cleared int64
		err := r.change(ctx, func(tx *transaction) error {
			for _, q := range some {
				n, err := tx.countChanged(doneClearSQL, r.doneArgs(q, by)...)
				if err != nil {
					return err
				}
				cleared += n
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.Records += cleared
	}
	return nil
}

func (r *lostRows) doneArgs(q queued, by map[string]carried) []any {
	c := by[q.collection]
	return []any{q.seq, q.topic, q.id, r.before, c.metadata, c.vector}
}
