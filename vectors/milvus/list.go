package milvus

import (
	"context"
	"iter"
	"unicode/utf8"

	"pruned/vectors"
)

// ListCollections lists names. What is in them is not counted.
func (s *Store) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		names, err := s.listNames(ctx)
		if err != nil {
			yield(vectors.Collection{}, err)
			return
		}
		seen := map[string]bool{}
		for c, err := range s.listCollections(ctx, names) {
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

// ListPoints reads the keys of these collections, those of many by one question where they
// lie together.
func (s *Store) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		err := vectors.CheckListed(collections...)
		for page, err := range s.listRowsOf(ctx, err, collections, question{}) {
			if err != nil {
				yield(vectors.Point{}, err)
				return
			}
			for _, r := range page {
				if !yield(vectors.Point{Collection: r.collection, ID: r.key}, nil) {
					return
				}
			}
		}
	}
}

// ListChunks reads the metadata in these collections.
func (s *Store) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		err := vectors.CheckKnowledge(knowledge)
		for _, some := range vectors.Portions(files, utf8.ValidString) {
			for page, err := range s.listRowsOf(ctx, err, knowledge, question{metadata: true, files: some}) {
				if err != nil {
					yield(vectors.FileChunk{}, err)
					return
				}
				for _, r := range page {
					if r.file != "" && !yield(vectors.FileChunk{Collection: r.collection, FileID: r.file, ID: r.key}, nil) {
						return
					}
				}
			}
		}
	}
}

// listRowsOf lists rows of these collections of the application's, unless they were refused.
func (s *Store) listRowsOf(ctx context.Context, refused error, wanted []string, q question) iter.Seq2[[]row, error] {
	return func(yield func([]row, error) bool) {
		var names serverNames
		err := refused
		if wanted = vectors.Distinct(wanted, utf8.ValidString); err == nil && len(wanted) > 0 {
			names, err = s.listNames(ctx)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, from := range s.layout.locate(names, wanted) {
			for page, err := range s.listRows(ctx, from, q) {
				if !yield(page, err) || err != nil {
					return
				}
			}
		}
	}
}
