package chroma

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"pruned/vectors"
)

// Collections counts a file's chunks in its own collection, and in every shared
// one.
func (s *Server) Collections(ctx context.Context, id string) (list []vectors.Collection, err error) {
	if err := s.requireDatabase(ctx); err != nil {
		return nil, err
	}
	for c, err := range s.listCollections(ctx) {
		if err != nil {
			return nil, err
		}
		var chunks int64
		switch name, own := vectors.CollectionOwner(c.Name); {
		case own && name == id:
			chunks, err = s.countChunks(ctx, c)
		case vectors.IsShared(c.Name):
			chunks, err = s.countChunksOf(ctx, c, id)
		}
		if err != nil {
			return nil, err
		}
		if chunks > 0 {
			list = append(list, vectors.Collection{Name: c.Name, Chunks: chunks})
		}
	}
	slices.SortFunc(list, func(a, b vectors.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// countChunksOf counts by listing, page by page: the server counts only whole collections.
func (s *Server) countChunksOf(ctx context.Context, c collection, id string) (chunks int64, err error) {
	for page, err := range s.listChunks(ctx, c, []string{id}) {
		if err != nil {
			return 0, err
		}
		chunks += int64(len(page))
	}
	return chunks, nil
}

// Files lists the collections, and reads the metadata of the shared ones. What
// is in a file's own collection is not counted: it would be a request for each.
func (s *Server) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		if err := s.requireDatabase(ctx); err != nil {
			yield(vectors.File{}, err)
			return
		}
		for c, err := range s.listCollections(ctx) {
			if err != nil {
				yield(vectors.File{}, err)
				return
			}
			if id, own := vectors.CollectionOwner(c.Name); own {
				if !yield(vectors.File{ID: id}, nil) {
					return
				}
				continue
			}
			if !vectors.IsShared(c.Name) {
				continue
			}
			for f, err := range s.countFilesIn(ctx, c) {
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// countFilesIn counts the chunks of each file in a shared collection, a page at a
// time.
func (s *Server) countFilesIn(ctx context.Context, c collection) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		for page, err := range s.listChunks(ctx, c, nil) {
			if err != nil {
				yield(vectors.File{}, err)
				return
			}
			chunks := map[string]int64{}
			for _, one := range page {
				chunks[one.file]++
			}
			for id, n := range chunks {
				if !yield(vectors.File{ID: id, Shared: c.Name, Chunks: n}, nil) {
					return
				}
			}
		}
	}
}
