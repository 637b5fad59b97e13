package chroma

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"pruned/vectors"
)

const (
	// markKey is the key of segment_metadata that marks what is left of a
	// collection that is gone; its value is the name that the collection had.
	markKey = "pruned:removing"
	// hiddenAtOnce bounds a transaction that takes collections away, hiddenAlone while
	// nobody else writes.
	hiddenAtOnce, hiddenAlone = 100, 400
)

const namedSQL = `
SELECT id, name FROM collections WHERE database_id = ?1 AND name IN (SELECT value FROM json_each(?2))`

// halvesSQL is asked without a lock: it reads all of table segments, which has no index on
// collections. Chroma makes a collection and its segments in one transaction.
const halvesSQL = `SELECT id, collection FROM segments WHERE collection IN (SELECT value FROM json_each(?))`

// hideSQL is all that Chroma has to see of a removal of collections, ?1, and their segments,
// ?2. The segments stay, and say what is left to do.
var hideSQL = []string{
	`INSERT OR IGNORE INTO segment_metadata (segment_id, key, str_value)
	 SELECT s.id, '` + markKey + `', (SELECT name FROM collections c WHERE c.id = s.collection) FROM segments s
	  WHERE s.id IN (SELECT value FROM json_each(?2)) AND s.collection IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM collection_metadata WHERE collection_id IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM collections WHERE id IN (SELECT value FROM json_each(?1))`,
}

// dropCollections removes whole collections, and what is left of any that were taken away
// before. It returns how many chunks those had.
func (s *session) dropCollections(ctx context.Context, names []string, guard vectors.Guard) (chunks int64, err error) {
	if err := s.hideCollections(ctx, names, guard); err != nil {
		return 0, err
	}
	return s.purgeHidden(ctx)
}

// hideCollections takes collections away, by their names.
func (s *session) hideCollections(ctx context.Context, names []string, guard vectors.Guard) error {
	there, err := s.readPairs(ctx, namedSQL, s.database, jsonArray(names)) // names, by id
	if err != nil {
		return fmt.Errorf("look for %d collections: %w", len(names), err)
	}
	if len(there) == 0 {
		return nil
	}
	halves, err := s.readPairs(ctx, halvesSQL, jsonArray(slices.Collect(maps.Keys(there)))) // collections, by segment
	if err != nil {
		return fmt.Errorf("look for the segments of %d collections: %w", len(there), err)
	}
	ids := map[string]string{} // by name
	for id, name := range there {
		ids[name] = id
	}
	for rest := slices.Sorted(maps.Keys(ids)); len(rest) > 0; {
		size := hiddenAtOnce
		if s.pace.isAlone() {
			size = hiddenAlone
		}
		some := rest[:min(len(rest), size)]
		rest = rest[len(some):]
		_, err := s.inTxAndRest(ctx, func(tx *transaction) error {
			may, err := guard(ctx, some)
			if err != nil {
				return err
			}
			going := map[string]bool{}
			for _, name := range may {
				going[ids[name]] = true
			}
			return tx.hide(going, halves)
		})
		if err != nil {
			return fmt.Errorf("take %d collections away: %w", len(some), err)
		}
	}
	return nil
}

// readPairs reads rows of two texts, the second by the first.
func (s *session) readPairs(ctx context.Context, query string, args ...any) (map[string]string, error) {
	pairs := map[string]string{}
	return pairs, s.queryEach(ctx, func(scan func(...any) error) error {
		var key, value string
		err := scan(&key, &value)
		pairs[key] = value
		return err
	}, query, args...)
}

// hide marks those of the halves that belong to these collections.
func (t *transaction) hide(collections map[string]bool, halves map[string]string) error {
	var theirs []string
	for segment, collection := range halves {
		if collections[collection] {
			theirs = append(theirs, segment)
		}
	}
	return t.execEach(hideSQL, jsonArray(slices.Collect(maps.Keys(collections))), jsonArray(theirs))
}

// segment is one half of a collection that was taken away.
type segment struct{ id, scope, collection string }

// markedSQL also lists what a crash left. A collection that is there was not
// taken away, whatever is said of its segments.
const markedSQL = `
SELECT s.id, s.scope, s.collection FROM segment_metadata m JOIN segments s ON s.id = m.segment_id
 WHERE m.key = '` + markKey + `' AND NOT EXISTS (SELECT 1 FROM collections c WHERE c.id = s.collection)
 LIMIT 1000`

// purgeHidden removes what is left of collections that were taken away, and returns
// how many chunks those had.
func (s *session) purgeHidden(ctx context.Context) (chunks int64, err error) {
	for {
		dead, err := queryList(ctx, s, func(one *segment) []any { return []any{&one.id, &one.scope, &one.collection} }, markedSQL)
		if err != nil || len(dead) == 0 {
			return chunks, err
		}
		gone, err := s.deleteRowsAndFolders(ctx, dead)
		chunks += gone
		if err != nil {
			return chunks, err
		}
		if err := s.dropHidden(ctx, dead); err != nil {
			return chunks, fmt.Errorf("forget collections that were taken away: %w", err)
		}
	}
}

func segmentIDs(segments []segment, scope string) (list []string) {
	for _, one := range segments {
		if scope == "" || one.scope == scope {
			list = append(list, one.id)
		}
	}
	return list
}

// deleteRowsAndFolders removes folders beside rows while nobody else writes, so that pauses
// are of use. Whoever does would wait longer for commits that share the disk with them.
func (s *session) deleteRowsAndFolders(ctx context.Context, dead []segment) (chunks int64, err error) {
	removeFolders := sync.OnceValue(func() error { return s.removeFolders(segmentIDs(dead, "VECTOR")) })
	var running sync.WaitGroup
	if s.pace.isAlone() {
		running.Go(func() { _ = removeFolders() })
	}
	chunks, err = s.deleteRows(ctx, segmentIDs(dead, "METADATA"))
	running.Wait()
	if err != nil {
		return chunks, fmt.Errorf("remove the chunks of collections that were taken away: %w", err)
	}
	return chunks, removeFolders()
}

// rowsSQL goes from the text to what it belongs to, so that no text is ever
// without its owner.
var rowsSQL = []string{
	`DELETE FROM embedding_fulltext_search WHERE rowid IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM embedding_metadata_array WHERE id IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM embedding_metadata WHERE id IN (SELECT value FROM json_each(?1))`,
	`DELETE FROM embeddings WHERE id IN (SELECT value FROM json_each(?1))`,
}

// deleteRows deletes the chunks of these segments, a piece at a time.
func (s *session) deleteRows(ctx context.Context, segments []string) (chunks int64, err error) {
	for {
		rows, err := queryColumn[int64](ctx, s, `SELECT id FROM embeddings
			WHERE segment_id IN (SELECT value FROM json_each(?)) LIMIT ?`, jsonArray(segments), s.pace.rows)
		if err != nil || len(rows) == 0 {
			return chunks, err
		}
		took, err := s.inTxAndRest(ctx, func(tx *transaction) error {
			for _, sql := range rowsSQL {
				if err := tx.exec(sql, jsonArray(rows)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return chunks, err
		}
		chunks += int64(len(rows))
		s.pace.adjustRows(took)
	}
}

// removeFolders removes the indexes of vectors. A Chroma that has one open does
// not notice.
func (s *session) removeFolders(segments []string) error {
	for _, id := range segments {
		if _, err := uuid.Parse(id); err != nil {
			return fmt.Errorf("segment %q has no UUID: its folder is left alone", id)
		}
		if err := s.dir.RemoveAll(id); err != nil {
			return fmt.Errorf("remove the folder of a segment: %w", err)
		}
	}
	return nil
}
