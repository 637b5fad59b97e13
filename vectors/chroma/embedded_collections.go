package chroma

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"pruned/vectors"
)

// ListCollections also lists what was taken away and not yet cleared: whatever is removed
// next clears it.
func (e *Embedded) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		err := e.withSession(ctx, "list the collections in the embedded Chroma", func(s *session) error {
			marked := map[string]bool{}
			err := s.listMarked(ctx, "", func(c vectors.Collection) error {
				marked[c.Name] = true
				return yieldListed(c, yield)
			})
			if err != nil {
				return err
			}
			return s.listCollections(ctx, otherNames, func(c vectors.Collection) error {
				if marked[c.Name] {
					return nil // it was made again
				}
				return yieldListed(c, yield)
			})
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.Collection{}, err)
		}
	}
}

func yieldListed(c vectors.Collection, yield func(vectors.Collection, error) bool) error {
	if vectors.IsListed(c.Name) && !yield(c, nil) {
		return errStop
	}
	return nil
}

const metadataSegmentsSQL = `
SELECT s.id, c.name FROM collections c JOIN segments s ON s.collection = c.id
 WHERE c.database_id = ?1 AND c.name IN (SELECT value FROM json_each(?2)) AND s.scope = 'METADATA'`

// pointsPageSQL is a page of the points of segments, by the index on both.
const pointsPageSQL = `
SELECT segment_id, embedding_id, ?4 FROM embeddings
 WHERE segment_id IN (SELECT value FROM json_each(?1)) AND embedding_id > ?2
 ORDER BY segment_id, embedding_id LIMIT ?3`

const pointsAPage = 2000

// ListPoints lists points that wait for their deletion too.
func (e *Embedded) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		err := vectors.CheckListed(collections...)
		if err == nil {
			err = e.withSession(ctx, "list the points of collections in the embedded Chroma", func(s *session) error {
				for some := range slices.Chunk(distinct(collections), groupOf) {
					if err := s.listPoints(ctx, some, yield); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.Point{}, err)
		}
	}
}

// listPoints tells of points page by page.
func (s *session) listPoints(ctx context.Context, collections []string, yield func(vectors.Point, error) bool) error {
	return s.listEntries(ctx, collections, pointsPageSQL, "", func(c entry) bool {
		return yield(vectors.Point{Collection: c.collection, ID: c.id}, nil)
	})
}

// entry is a point that a page has, and the file that it names where that is asked for.
type entry struct{ segment, id, file, collection string }

// listEntries reads a page before it tells of it, as listNames does. The next one begins
// within the segment in which a full page ended, and is of that alone.
func (s *session) listEntries(ctx context.Context, collections []string, pageSQL, files string, yield func(entry) bool) error {
	names, err := s.readPairs(ctx, metadataSegmentsSQL, s.database, jsonArray(collections)) // by segment
	if err != nil {
		return err
	}
	fields := func(r *entry) []any { return []any{&r.segment, &r.id, &r.file} }
	rest := slices.Sorted(maps.Keys(names))
	for asked, after := len(rest), ""; len(rest) > 0; {
		page, err := queryList(ctx, s, fields, pageSQL, jsonArray(rest[:asked]), after, pointsAPage, files)
		if err != nil {
			return err
		}
		for _, one := range page {
			one.collection = names[one.segment]
			if !yield(one) {
				return errStop
			}
		}
		if len(page) == pointsAPage {
			last := page[len(page)-1]
			done, _ := slices.BinarySearch(rest, last.segment)
			rest, asked, after = rest[done:], 1, last.id
		} else {
			rest, after = rest[asked:], ""
			asked = len(rest)
		}
	}
	return nil
}

// RemoveCollections drops them as it drops files' own. Nothing waits.
func (e *Embedded) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckWhole(names); err != nil || len(names) == 0 {
		return removed, err
	}
	e.removed.Store(true)
	err = e.withSession(ctx, "remove collections from the embedded Chroma", func(s *session) error {
		// A queue that is not as we know it stops us before anything is changed.
		if _, err := s.findPendingDeletes(ctx); err != nil {
			return err
		}
		for group := range slices.Chunk(names, groupOf) {
			gone, err := s.dropCollections(ctx, group, guard)
			removed.Chunks += gone
			if err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}

// pointsSQL lists those of these points that are there.
const pointsSQL = `
SELECT e.embedding_id, s.collection, e.embedding_id
  FROM segments s CROSS JOIN embeddings e ON e.segment_id = s.id
 WHERE s.scope = 'METADATA' AND s.collection = (SELECT id FROM collections WHERE database_id = ?1 AND name = ?2)
   AND e.embedding_id IN (SELECT value FROM json_each(?3))`

// RemovePoints asks Chroma to delete points, each once: they wait until it has done so.
func (e *Embedded) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckListed(collection); err != nil || len(ids) == 0 {
		return removed, err
	}
	e.removed.Store(true)
	err = e.withSession(ctx, "remove points from the embedded Chroma", func(s *session) error {
		asked, err := s.findPendingDeletes(ctx)
		if err != nil {
			return err
		}
		points := &requests{session: s, asked: asked, guard: guard}
		defer func() { removed.Chunks += points.made }()
		for some := range slices.Chunk(distinct(ids), mostRows) {
			waiting, err := points.requestPoints(ctx, collection, some)
			if err != nil {
				return err
			}
			removed.Waiting = append(removed.Waiting, waiting...)
		}
		return nil
	})
	return removed, err
}

// requestPoints asks for the deletion of those that are there, and returns those that
// Chroma has been asked to delete, whenever that was.
func (r *requests) requestPoints(ctx context.Context, collection string, ids []string) (waiting []string, err error) {
	there, err := queryList(ctx, r.session, func(p *doomedChunk) []any { return []any{&p.id, &p.collection, &p.subject} },
		pointsSQL, r.database, collection, jsonArray(ids))
	if err != nil {
		return nil, err
	}
	for _, point := range there {
		if !r.asked[keyOf(point.collection, point.id)] {
			r.fresh = append(r.fresh, point)
		}
	}
	if err := r.sendRequests(ctx); err != nil {
		return nil, err
	}
	for _, point := range there {
		if r.asked[keyOf(point.collection, point.id)] {
			waiting = append(waiting, point.id)
		}
	}
	return waiting, nil
}
