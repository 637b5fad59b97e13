package chroma

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"pruned/vectors"
)

// ListCollections lists names. What is in them is not counted: it would be a request for
// each.
func (s *Server) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		if err := s.requireDatabase(ctx); err != nil {
			yield(vectors.Collection{}, err)
			return
		}
		seen := map[string]bool{} // one that is made meanwhile moves others to the next page
		for c, err := range s.listCollections(ctx) {
			if err != nil {
				yield(vectors.Collection{}, err)
				return
			}
			if !vectors.IsListed(c.Name) || seen[c.Name] {
				continue
			}
			seen[c.Name] = true
			if !yield(vectors.Collection{Name: c.Name}, nil) {
				return
			}
		}
	}
}

// ListPoints asks each collection, page by page. A point that is removed meanwhile may
// hide another; that one is found the next time.
func (s *Server) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		err := vectors.CheckListed(collections...)
		if err == nil {
			err = s.requireDatabase(ctx)
		}
		for _, name := range distinct(collections) {
			if err == nil {
				err = s.listPoints(ctx, name, yield)
			}
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.Point{}, err)
		}
	}
}

func (s *Server) listPoints(ctx context.Context, name string, yield func(vectors.Point, error) bool) error {
	c, found, err := s.findCollection(ctx, name)
	for offset := 0; found && err == nil; offset += chunksAtOnce {
		var page []string
		page, err = s.readIDs(ctx, c, selection{Limit: chunksAtOnce, Offset: offset})
		for _, id := range page {
			if !yield(vectors.Point{Collection: name, ID: id}, nil) {
				return errStop
			}
		}
		found = len(page) == chunksAtOnce
	}
	if err != nil {
		return fmt.Errorf("list the points of collection %s: %w", name, err)
	}
	return nil
}

// readIDs lists the ids of the chunks that are asked for, and nothing else of them.
func (s *Server) readIDs(ctx context.Context, c collection, ask selection) ([]string, error) {
	var found answeredChunks
	ask.Include = []string{}
	_, err := s.callAPI(ctx, silencePatience, http.MethodPost, s.collectionPath(c, "get"), ask, &found)
	return found.IDs, err
}

// RemoveCollections drops them as it drops files' own. Nothing waits.
func (s *Server) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckWhole(names); err != nil || len(names) == 0 {
		return removed, err
	}
	if err := s.requireDatabase(ctx); err != nil {
		return removed, err
	}
	for _, name := range names {
		chunks, err := s.dropCollection(ctx, name, name, guard)
		if err != nil {
			return removed, fmt.Errorf("drop collection %s: %w", name, err)
		}
		removed.Chunks += chunks
	}
	return removed, nil
}

// RemovePoints deletes points until it finds none that may go. Nothing waits.
func (s *Server) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if err := vectors.CheckListed(collection); err != nil || len(ids) == 0 {
		return removed, err
	}
	if err := s.requireDatabase(ctx); err != nil {
		return removed, err
	}
	c, found, err := s.findCollection(ctx, collection)
	if err != nil || !found {
		return removed, err
	}
	for some := range slices.Chunk(ids, chunksAtOnce) {
		chunks, err := s.deletePoints(ctx, c, some, guard)
		removed.Chunks += chunks
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// deletePoints deletes those of these points that are there, and looks again: one that
// came back meanwhile is the guard's to judge.
func (s *Server) deletePoints(ctx context.Context, c collection, ids []string, guard vectors.Guard) (chunks int64, err error) {
	for last := ""; ; {
		there, err := s.readIDs(ctx, c, selection{IDs: ids, Limit: len(ids)})
		if err != nil || len(there) == 0 {
			return chunks, err
		}
		may, err := guard(ctx, there)
		if err != nil || len(may) == 0 {
			return chunks, err
		}
		if may[0] == last {
			return chunks, s.describeDisobedience(c, last)
		}
		if err := s.deleteIDs(ctx, c, may); err != nil {
			return chunks, err
		}
		chunks += int64(len(may))
		ids, last = may, may[0]
	}
}
