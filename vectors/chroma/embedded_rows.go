package chroma

import (
	"context"
	"fmt"
	"time"

	"pruned/vectors"
)

// Chroma reads a collection by its row in table collections, and all else by the segments
// of that. What an older version, or a deletion that was killed, left of others nobody can
// read, but it takes room, holds texts, and is in the way of a new chunk that gets the same
// number. Whether a row is such a one is seen in the file alone, and in the transaction that
// deletes it: Chroma writes collection and segments in one transaction, before anything that
// belongs to them.

// The collections and segments whose rows stay are those that are there, and those that were
// taken away by us, which are cleared by whoever took them.
const (
	markedSegmentsSQL    = `SELECT segment_id FROM segment_metadata WHERE key = '` + markKey + `'`
	markedCollectionsSQL = `SELECT collection FROM segments WHERE id IN (` + markedSegmentsSQL + `)`
)

// lostCollection and lostSegment are the conditions that what this names is none of those. They
// look for it by its id: a list of all would be made anew by each statement.
func lostCollection(id string) string {
	return id + ` NOT IN (SELECT id FROM collections) AND ` + id + ` NOT IN (` + markedCollectionsSQL + `)`
}

func lostSegment(id string) string {
	return `NOT EXISTS (SELECT 1 FROM segments kept WHERE kept.id = ` + id + ` AND kept.collection IN (SELECT id FROM collections))
   AND ` + id + ` NOT IN (` + markedSegmentsSQL + `)`
}

// lostRows counts the rows that nothing can reach, or removes them.
type lostRows struct {
	*session
	before string // when they must have been made, as Chroma writes times
	remove bool
	vectors.Lost
}

// CountLost reads all but the texts, in short statements.
func (e *Embedded) CountLost(ctx context.Context, minAge time.Duration) (vectors.Lost, error) {
	return e.visitLost(ctx, "look for lost rows in the embedded Chroma", minAge, false)
}

// RemoveLost removes them from the text to what it belongs to, so that it can end anywhere.
func (e *Embedded) RemoveLost(ctx context.Context, minAge time.Duration) (vectors.Lost, error) {
	e.removed.Store(true)
	return e.visitLost(ctx, "remove lost rows from the embedded Chroma", minAge, true)
}

func (e *Embedded) visitLost(ctx context.Context, doing string, minAge time.Duration, remove bool) (lost vectors.Lost, err error) {
	err = e.withSession(ctx, doing, func(s *session) error {
		before := e.clock().Add(-minAge).UTC().Format(time.DateTime)
		rows := &lostRows{session: s, before: before, remove: remove}
		defer func() { lost = rows.Lost }()
		return rows.visit(ctx)
	})
	return lost, err
}

// visit goes through the tables. Where there is no collection, or no segment, nothing is
// known of any row: those tables may just have been made anew.
func (r *lostRows) visit(ctx context.Context) error {
	known, err := queryColumn[bool](ctx, r.session, `SELECT EXISTS (SELECT 1 FROM collections) AND EXISTS (SELECT 1 FROM segments)`)
	if err != nil || !known[0] {
		return err
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"the queue", r.visitQueue},
		{"chunks of segments that are gone", r.visitSegments},
		{"what is left of chunks that are gone", r.visitParts},
		{"what is left of collections that are gone", r.visitEntries},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("look at %s: %w", step.what, err)
		}
	}
	return nil
}

// segmentsSQL goes from segment to segment by the index that begins with it.
var segmentsSQL = `
WITH RECURSIVE seen(id) AS (
  SELECT min(segment_id) FROM embeddings
   UNION ALL SELECT (SELECT min(segment_id) FROM embeddings WHERE segment_id > seen.id) FROM seen WHERE seen.id IS NOT NULL)
SELECT id FROM seen WHERE id IS NOT NULL AND ` + lostSegment("seen.id")

func (r *lostRows) visitSegments(ctx context.Context) error {
	chunks, err := queryColumn[int64](ctx, r.session, "SELECT count(*) FROM embeddings")
	if err != nil {
		return err
	}
	r.Chunks = chunks[0]
	dead, err := queryColumn[string](ctx, r.session, segmentsSQL)
	for _, segment := range dead {
		if err == nil {
			err = r.visitSegment(ctx, segment)
		}
	}
	return err
}

// segmentChunksSQL asks in any case whether the segment is gone: it was read before.
var segmentChunksSQL = `
SELECT id, embedding_id FROM embeddings
 WHERE segment_id = ?1 AND embedding_id > ?2 AND created_at <= ?3
   AND ` + lostSegment("?1") + `
 ORDER BY embedding_id LIMIT ?4`

// visitSegment goes through the chunks of a segment that is gone.
func (r *lostRows) visitSegment(ctx context.Context, segment string) error {
	for after := ""; ; {
		var rows []int64
		read := func(scan func(...any) error) error {
			var row int64
			err := scan(&row, &after)
			rows = append(rows, row)
			return err
		}
		limit := r.limit(mostRows)
		deleteRows := func(tx *transaction) error { return tx.execEach(rowsSQL, jsonArray(rows)) }
		if err := r.page(ctx, read, deleteRows, segmentChunksSQL, segment, after, r.before, limit); err != nil {
			return err
		}
		r.Rows += int64(len(rows))
		r.Chunks -= int64(len(rows))
		if len(rows) < limit {
			return nil
		}
	}
}

// limit bounds a page: a removal is to be short, a look need not be that short.
func (r *lostRows) limit(most int) int {
	if r.remove {
		return min(r.pace.rows, most)
	}
	return most
}

// page reads a page, and, in a removal, deletes what that found in the same transaction.
func (r *lostRows) page(ctx context.Context, read func(func(...any) error) error, remove func(*transaction) error, query string, args ...any) error {
	if !r.remove {
		return r.queryEach(ctx, read, query, args...)
	}
	return r.change(ctx, func(tx *transaction) error {
		if err := r.queryEach(ctx, read, query, args...); err != nil { // on the same connection
			return err
		}
		return remove(tx)
	})
}

// change runs a transaction, and sizes the next by it.
func (r *lostRows) change(ctx context.Context, fn func(*transaction) error) error {
	took, err := r.inTxAndRest(ctx, fn)
	if err == nil {
		r.pace.adjustRows(took)
	}
	return err
}

// execEach runs statements that have the same parameters.
func (t *transaction) execEach(statements []string, args ...any) error {
	for _, statement := range statements {
		if err := t.exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// countChanged runs a statement and returns how many rows that changed.
func (t *transaction) countChanged(query string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
