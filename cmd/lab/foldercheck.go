package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"

	"pruned/repo/testenv"
)

const (
	rowsHeldSQL = `
SELECT (SELECT count(*) FROM file WHERE id IN (SELECT value FROM json_each(?1))),
       (SELECT count(*) FROM pruned_tombstone WHERE file_id IN (SELECT value FROM json_each(?1)))`

	// Of a file's own collection, whole: with its text. SQLite is told to begin with
	// the files, in which it cannot search.
	chunksHeldSQL = `
SELECT count(*) FROM json_each(?1) f CROSS JOIN collections c ON c.name = 'file-' || f.value
  JOIN segments s ON s.collection = c.id AND s.scope = 'METADATA' JOIN embeddings e ON e.segment_id = s.id
  JOIN embedding_fulltext_search t ON t.rowid = e.id
  JOIN embedding_metadata m ON m.id = e.id AND m.key = 'file_id' AND m.string_value = f.value`

	sharedSQL = `
  FROM json_each(?1) f CROSS JOIN embedding_metadata m ON m.key = 'file_id' AND m.string_value = f.value
  JOIN embeddings e ON e.id = m.id JOIN embedding_fulltext_search t ON t.rowid = e.id
  JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
 WHERE c.name NOT LIKE 'file-%'`
)

func (f *folder) countHeld(ctx context.Context, ids []string) (h held, err error) {
	return h, errors.Join(
		queryRow(ctx, f.webui(), rowsHeldSQL, encodeIDs(ids), &h.rows, &h.tombstones),
		queryRow(ctx, f.chroma(), chunksHeldSQL, encodeIDs(ids), &h.chunks),
		queryRow(ctx, f.chroma(), `SELECT count(*)`+sharedSQL, encodeIDs(ids), &h.shared))
}

const (
	// waitingSQL lists the files of which chunks wait in knowledge bases: those
	// whose deletion Chroma was asked for, each once.
	waitingSQL = `
SELECT count(*), json_group_array(DISTINCT f.value)` + sharedSQL + `
   AND 1 = (SELECT count(*) FROM embeddings_queue q
             WHERE q.topic = 'persistent://default/default/' || c.id AND q.id = e.embedding_id AND q.operation = 3)`

	// A file that was reported again, after a kill between commit and ack, has a
	// second tombstone.
	triedSQL = `
SELECT count(*), count(DISTINCT file_id) = json_array_length(?1) FROM pruned_tombstone
 WHERE file_id IN (SELECT value FROM json_each(?1)) AND kind = 'vectors' AND attempts > 0`
)

// countWaiting are chunks in knowledge bases, which only Chroma itself may delete, and
// the tombstones of their files.
func (f *folder) countWaiting(ctx context.Context) (h held, err error) {
	var files string
	if err := queryRow(ctx, f.chroma(), waitingSQL, encodeIDs(f.Orphans), &h.shared, &files); err != nil {
		return h, err
	}
	var each bool
	err = queryRow(ctx, f.webui(), triedSQL, []any{files}, &h.tombstones, &each)
	if err == nil && !each {
		err = errors.New("chunks wait of files that have no tombstone")
	}
	return h, err
}

func (f *folder) countTorn(ctx context.Context) (n int64, err error) {
	return n, queryRow(ctx, f.chroma(), `SELECT count(DISTINCT str_value) FROM segment_metadata WHERE key = 'pruned:removing'`, nil, &n)
}

// strays counts what in Chroma's file belongs to nothing, where no collection is
// removed in part. The last record of the queue stays for its number.
const straysSQL = `
SELECT (SELECT count(*) FROM segments WHERE collection NOT IN (SELECT id FROM collections))
     + (SELECT count(*) FROM embeddings WHERE segment_id NOT IN (SELECT id FROM segments))
     + (SELECT count(*) FROM embedding_metadata WHERE id NOT IN (SELECT id FROM embeddings))
     + (SELECT count(*) FROM embedding_fulltext_search WHERE rowid NOT IN (SELECT id FROM embeddings))
     + (SELECT count(*) FROM collection_metadata WHERE collection_id NOT IN (SELECT id FROM collections))
     + (SELECT count(*) FROM max_seq_id WHERE segment_id NOT IN (SELECT id FROM segments))
     + (SELECT count(*) FROM embeddings_queue WHERE substr(topic, -36) NOT IN (SELECT id FROM collections)
                                               AND seq_id < (SELECT max(seq_id) FROM embeddings_queue))`

// checkSound asks SQLite about both databases, and looks for what hangs in the air:
// only what belongs to a collection that is removed in part may.
func (f *folder) checkSound(ctx context.Context) error {
	for _, path := range []string{f.webui(), f.chroma()} {
		var answer string
		if err := queryRow(ctx, path, `PRAGMA integrity_check`, nil, &answer); err != nil {
			return err
		}
		if answer != "ok" {
			return fmt.Errorf("integrity_check of %s: %s", filepath.Base(path), answer)
		}
	}
	torn, err := f.countTorn(ctx)
	if err != nil || torn > 0 {
		return errors.Join(err, f.checkFolders(ctx, false))
	}
	var strays int64
	if err := queryRow(ctx, f.chroma(), straysSQL, nil, &strays); err != nil {
		return err
	}
	if strays > 0 {
		return fmt.Errorf("%d rows of Chroma's belong to nothing", strays)
	}
	return f.checkFolders(ctx, true)
}

// checkFolders checks that every collection has its folder of vectors, and no folder
// is without one, where all of them must be gone.
func (f *folder) checkFolders(ctx context.Context, all bool) error {
	var text string
	err := queryRow(ctx, f.chroma(), `SELECT json_group_object(s.id, json('true')) FROM segments s JOIN collections c ON c.id = s.collection WHERE s.scope = 'VECTOR'`, nil, &text)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	if err := json.Unmarshal([]byte(text), &wanted); err != nil {
		return err
	}
	entries, err := os.ReadDir(f.vectors())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if _, err := uuid.Parse(entry.Name()); err != nil {
			continue
		}
		if all && !wanted[entry.Name()] {
			return fmt.Errorf("the folder %s belongs to no collection", entry.Name())
		}
		delete(wanted, entry.Name())
	}
	if len(wanted) > 0 {
		return fmt.Errorf("%d collections have lost their folder", len(wanted))
	}
	return nil
}

// settleStore lets Chroma itself start on its files: it carries out what waits for it
// in a collection that is used, and answers as before from the others. Then it is
// looked at again at once.
func (f *folder) settleStore(ctx context.Context) error {
	if err := withChroma(ctx, f.vectors(), f.checkAnswers); err != nil {
		return err
	}
	if err := execSQLite(ctx, f.webui(), `UPDATE pruned_tombstone SET due_at = 0`); err != nil {
		return err
	}
	if _, err := f.drainQueue(ctx); err != nil {
		return err
	}
	return f.checkCarriedOut(ctx)
}

// answering is how many of the files' own collections are asked.
const answering = 100

func (f *folder) checkAnswers(c *chroma) error {
	if err := c.checkAnswer(f.Knowledge, f.form.dim, func(file string) bool { return slices.Contains(f.InUse, file) }); err != nil {
		return err
	}
	if f.leftovers > 0 {
		if err := c.checkAnswer(memoryCollection, f.form.dim, func(file string) bool { return file == "" }); err != nil {
			return err
		}
	}
	for _, id := range f.InUse[:min(answering, len(f.InUse))] {
		if err := c.checkAnswer(testenv.FileCollection(id), f.form.dim, func(file string) bool { return file == id }); err != nil {
			return err
		}
	}
	return nil
}
