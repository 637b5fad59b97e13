package chroma

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"pruned/vectors"
)

// ListChunks asks each collection, page by page. A chunk that is removed meanwhile may hide
// another; that one is found the next time.
func (s *Server) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		err := vectors.CheckKnowledge(knowledge)
		if err == nil && len(knowledge) > 0 {
			err = s.requireDatabase(ctx)
		}
		for _, name := range distinct(knowledge) {
			if err != nil {
				break
			}
			if err = s.yieldChunks(ctx, name, files, yield); err != nil && !errors.Is(err, errStop) {
				err = fmt.Errorf("list the chunks of collection %s: %w", name, err)
			}
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.FileChunk{}, err)
		}
	}
}

func (s *Server) yieldChunks(ctx context.Context, name string, files []string, yield func(vectors.FileChunk, error) bool) error {
	c, found, err := s.findCollection(ctx, name)
	if err != nil || !found {
		return err
	}
	pages := s.listChunks(ctx, c, nil)
	if len(files) > 0 {
		pages = s.listChunksOfMany(ctx, c, files)
	}
	for page, err := range pages {
		if err != nil {
			return err
		}
		for _, one := range page {
			if !yield(vectors.FileChunk{Collection: name, FileID: one.file, ID: one.id}, nil) {
				return errStop
			}
		}
	}
	return nil
}
