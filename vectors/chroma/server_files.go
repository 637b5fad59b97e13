package chroma

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"slices"

	"pruned/vectors"
)

// Collections counts a file's chunks in its own collection, and in every shared
// one.
func (s *Server) Collections(ctx context.Context, id string) (list []vectors.Collection, err error) {
	if err := s.there(ctx); err != nil {
		return nil, err
	}
	for c, err := range s.collections(ctx) {
		if err != nil {
			return nil, err
		}
		var chunks int64
		switch name, own := owner(c.Name); {
		case own && name == id:
			chunks, err = s.count(ctx, c)
		case !own:
			chunks, err = s.countOf(ctx, c, id)
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

// countOf counts by listing ids, page by page: the server counts only whole
// collections.
func (s *Server) countOf(ctx context.Context, c collection, id string) (chunks int64, err error) {
	for {
		var found struct {
			IDs []string `json:"ids"`
		}
		ask := selection{Where: ofFiles([]string{id}), Limit: chunksAtOnce, Offset: int(chunks), Include: onlyIDs}
		if _, err := s.call(ctx, silencePatience, http.MethodPost, s.of(c, "get"), ask, &found); err != nil {
			return 0, err
		}
		chunks += int64(len(found.IDs))
		if len(found.IDs) < chunksAtOnce {
			return chunks, nil
		}
	}
}

// Files lists the collections, and reads the metadata of the shared ones. What
// is in a file's own collection is not counted: it would be a request for each.
func (s *Server) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		if err := s.there(ctx); err != nil {
			yield(vectors.File{}, err)
			return
		}
		for c, err := range s.collections(ctx) {
			if err != nil {
				yield(vectors.File{}, err)
				return
			}
			if id, own := owner(c.Name); own {
				if !yield(vectors.File{ID: id}, nil) {
					return
				}
				continue
			}
			for f, err := range s.filesIn(ctx, c) {
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// filesIn counts the chunks of each file in a shared collection, a page at a
// time.
func (s *Server) filesIn(ctx context.Context, c collection) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		for offset := 0; ; offset += chunksAtOnce {
			var page struct {
				IDs       []string         `json:"ids"`
				Metadatas []map[string]any `json:"metadatas"`
			}
			ask := selection{Limit: chunksAtOnce, Offset: offset, Include: []string{"metadatas"}}
			if _, err := s.call(ctx, silencePatience, http.MethodPost, s.of(c, "get"), ask, &page); err != nil {
				yield(vectors.File{}, err)
				return
			}
			chunks := map[string]int64{}
			for _, metadata := range page.Metadatas {
				if id, ok := metadata[fileKey].(string); ok && id != "" {
					chunks[id]++
				}
			}
			for id, n := range chunks {
				if !yield(vectors.File{ID: id, Chunks: n}, nil) {
					return
				}
			}
			if len(page.IDs) < chunksAtOnce {
				return
			}
		}
	}
}
