package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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

func (f *folder) holds(ctx context.Context, ids []string) (h held, err error) {
	return h, errors.Join(
		ask(ctx, f.webui(), rowsHeldSQL, list(ids), &h.rows, &h.tombstones),
		ask(ctx, f.chroma(), chunksHeldSQL, list(ids), &h.chunks),
		ask(ctx, f.chroma(), `SELECT count(*)`+sharedSQL, list(ids), &h.shared))
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

// waits are chunks in knowledge bases, which only Chroma itself may delete, and
// the tombstones of their files.
func (f *folder) waits(ctx context.Context) (h held, err error) {
	var files string
	if err := ask(ctx, f.chroma(), waitingSQL, list(f.Orphans), &h.shared, &files); err != nil {
		return h, err
	}
	var each bool
	err = ask(ctx, f.webui(), triedSQL, []any{files}, &h.tombstones, &each)
	if err == nil && !each {
		err = errors.New("chunks wait of files that have no tombstone")
	}
	return h, err
}

func (f *folder) torn(ctx context.Context) (n int64, err error) {
	return n, ask(ctx, f.chroma(), `SELECT count(DISTINCT str_value) FROM segment_metadata WHERE key = 'pruned:removing'`, nil, &n)
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

// sound asks SQLite about both databases, and looks for what hangs in the air:
// only what belongs to a collection that is removed in part may.
func (f *folder) sound(ctx context.Context) error {
	for _, path := range []string{f.webui(), f.chroma()} {
		var answer string
		if err := ask(ctx, path, `PRAGMA integrity_check`, nil, &answer); err != nil {
			return err
		}
		if answer != "ok" {
			return fmt.Errorf("integrity_check of %s: %s", filepath.Base(path), answer)
		}
	}
	torn, err := f.torn(ctx)
	if err != nil || torn > 0 {
		return errors.Join(err, f.foldersOf(ctx, false))
	}
	var strays int64
	if err := ask(ctx, f.chroma(), straysSQL, nil, &strays); err != nil {
		return err
	}
	if strays > 0 {
		return fmt.Errorf("%d rows of Chroma's belong to nothing", strays)
	}
	return f.foldersOf(ctx, true)
}

// foldersOf checks that every collection has its folder of vectors, and no folder
// is without one, where all of them must be gone.
func (f *folder) foldersOf(ctx context.Context, all bool) error {
	wanted := map[string]bool{}
	err := opened(f.chroma(), func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT s.id FROM segments s JOIN collections c ON c.id = s.collection WHERE s.scope = 'VECTOR'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			wanted[id] = true
		}
		return rows.Err()
	})
	if err != nil {
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

// settle lets Chroma itself start on its files: it carries out what waits for it
// in a collection that is used, and answers as before from the others. Then it is
// looked at again at once.
func (f *folder) settle(ctx context.Context) error {
	if err := onChroma(ctx, f.vectors(), f.used); err != nil {
		return err
	}
	err := opened(f.webui(), func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `UPDATE pruned_tombstone SET due_at = 0`)
		return err
	})
	if err != nil {
		return err
	}
	_, err = f.drain(ctx)
	return err
}

// answering is how many of the files' own collections are asked.
const answering = 100

func (f *folder) used(c *chroma) error {
	inUse := map[string]bool{}
	for _, id := range f.InUse {
		inUse[id] = true
	}
	if err := c.uses(f.Knowledge, f.form.dim, func(file string) bool { return inUse[file] }); err != nil {
		return err
	}
	for _, id := range f.InUse[:min(answering, len(f.InUse))] {
		if err := c.uses(testenv.FileCollection(id), f.form.dim, func(file string) bool { return file == id }); err != nil {
			return err
		}
	}
	return nil
}
