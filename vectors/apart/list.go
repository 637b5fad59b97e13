package apart

import (
	"context"
	"iter"

	"pruned/vectors"
)

// ListCollections lists places, and reads and counts what lies on shelves.
func (s *Store[P]) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		counts, err := s.countOnShelves(ctx)
		if err != nil {
			yield(vectors.Collection{}, err)
			return
		}
		for name, n := range counts {
			if vectors.IsListed(name) && !yield(vectors.Collection{Name: name, Chunks: n}, nil) {
				return
			}
		}
	}
}

// countOnShelves lists all collections, each with its points on shelves: it may have some on
// several, and none.
func (s *Store[P]) countOnShelves(ctx context.Context) (map[string]int64, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, one := range all {
		if shelfOf(one) == nil {
			counts[one.Collection()] += 0
			continue
		}
		for page, err := range s.server.Read(ctx, one, Question{}) {
			if err != nil {
				return nil, err
			}
			for _, p := range page {
				counts[p.Collection]++
			}
		}
	}
	return counts, nil
}

// ListPoints reads the ids in these collections.
func (s *Store[P]) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		if err := vectors.CheckListed(collections...); err != nil {
			yield(vectors.Point{}, err)
			return
		}
		for point, err := range s.listFrom(ctx, collections, nil) {
			if !yield(vectors.Point{Collection: point.Collection, ID: point.ID}, err) || err != nil {
				return
			}
		}
	}
}

// ListChunks reads the metadata in these collections.
func (s *Store[P]) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		if err := vectors.CheckKnowledge(knowledge); err != nil {
			yield(vectors.FileChunk{}, err)
			return
		}
		for _, some := range vectors.Portions(files, canBeThere) {
			for chunk, err := range s.listFrom(ctx, knowledge, some) {
				if err == nil && chunk.FileID == "" {
					continue
				}
				if !yield(chunk, err) || err != nil {
					return
				}
			}
		}
	}
}

// listFrom lists the points of these collections, or those of some files in them.
func (s *Store[P]) listFrom(ctx context.Context, collections, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		if len(collections) == 0 {
			return
		}
		all, err := s.list(ctx)
		if err != nil {
			yield(vectors.FileChunk{}, err)
			return
		}
		for _, from := range all.locate(collections) {
			if len(files) > 0 && !from.place.HoldsFiles() {
				continue
			}
			for page, err := range s.server.Read(ctx, from.place, from.question(Question{Files: files})) {
				if err != nil {
					yield(vectors.FileChunk{}, err)
					return
				}
				for _, p := range page {
					if !yield(vectors.FileChunk{Collection: collectionOf(from.place, p), FileID: p.File, ID: p.ID}, nil) {
						return
					}
				}
			}
		}
	}
}
