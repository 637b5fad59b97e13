package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/repo/testenv"
)

// useLeftovers makes what keeps those in use: notes that mention collections, and the rows of
// memories.
func (f *folder) useLeftovers(ctx context.Context) error {
	n := f.leftovers
	return errors.Join(
		execSQLite(ctx, f.webui(), `INSERT INTO note (id, user_id, title, data, created_at, updated_at)
			SELECT lower(hex(randomblob(16))), 'u', 'searches', json_object('names', json_group_array(value)), 1, 1
			  FROM json_each(?1) GROUP BY key / 50`, encodeIDs(n.searches()[n:])...),
		execSQLite(ctx, f.webui(), `INSERT INTO memory (id, user_id, content, created_at, updated_at)
			SELECT value, ?2, 'a memory', 1, 1 FROM json_each(?1)`, append(encodeIDs(n.memories()[n:]), testenv.UserID)...))
}

const (
	// searchesSQL counts those in use with all their chunks.
	searchesSQL = `
SELECT count(*) FILTER (WHERE n.key >= ?2), count(*) FILTER (WHERE n.key < ?2)
  FROM json_each(?1) n CROSS JOIN collections c ON c.name = n.value
 WHERE (SELECT count(*) FROM segments s JOIN embeddings e ON e.segment_id = s.id WHERE s.collection = c.id) = ?3 OR n.key < ?2`

	// memoriesSQL counts those that nothing uses only where Chroma was not asked to delete
	// them.
	memoriesSQL = `
SELECT count(*) FILTER (WHERE n.key >= ?2), count(*) FILTER (WHERE n.key < ?2 AND NOT EXISTS (
         SELECT 1 FROM embeddings_queue q WHERE q.topic = 'persistent://default/default/' || c.id AND q.id = n.value AND q.operation = 3))
  FROM json_each(?1) n CROSS JOIN collections c ON c.name = ?3
  JOIN segments s ON s.collection = c.id JOIN embeddings e ON e.segment_id = s.id AND e.embedding_id = n.value`
)

func (f *folder) countLeftovers(ctx context.Context) (c leftoverCount, err error) {
	n := f.leftovers
	return c, errors.Join(
		queryRow(ctx, f.chroma(), searchesSQL, append(encodeIDs(n.searches()), int(n), f.form.perFile), &c.searches, &c.unusedSearches),
		queryRow(ctx, f.chroma(), memoriesSQL, append(encodeIDs(n.memories()), int(n), memoryCollection), &c.memories, &c.unusedMemories))
}

func (f *folder) ageLeftovers(ctx context.Context) error {
	return execSQLite(ctx, f.webui(), `UPDATE pruned_candidate SET first_seen = first_seen - ?1 WHERE direction IN ('collection', 'points')`, (48 * time.Hour).Microseconds())
}

// checkCarriedOut checks that no collection, and no memory, still has a tombstone: Chroma has
// done what it was asked for.
func (f *folder) checkCarriedOut(ctx context.Context) error {
	var n int
	err := queryRow(ctx, f.webui(), `SELECT count(*) FROM pruned_tombstone WHERE kind IN ('collection', 'points')`, nil, &n)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d tombstones of collections and memories are left", n)
	}
	return err
}
