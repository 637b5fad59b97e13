package flat

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"pruned/vectors"
)

// Files reads everything.
func (s *Store) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		empty, err := s.server.ListEmpty(ctx)
		if err != nil {
			yield(vectors.File{}, err)
			return
		}
		for _, name := range empty {
			if id, own := vectors.CollectionOwner(name); own && !yield(vectors.File{ID: id}, nil) {
				return
			}
		}
		for p, err := range s.read(ctx, Question{}) {
			f := vectors.File{ID: p.File, Shared: p.Collection, Chunks: 1}
			if id, own := vectors.CollectionOwner(p.Collection); own {
				f = vectors.File{ID: id, Chunks: 1}
			} else if !vectors.IsShared(p.Collection) {
				f.ID = ""
			}
			if (err != nil || f.ID != "") && !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// Collections counts a file's chunks in its own collection, and in every shared one.
func (s *Store) Collections(ctx context.Context, id string) (list []vectors.Collection, err error) {
	counts := map[string]int64{}
	for _, points := range s.ofFiles(ctx, []string{id}) {
		for p, err := range points {
			if err != nil {
				return nil, err
			}
			counts[p.Collection]++
		}
	}
	for name, n := range counts {
		list = append(list, vectors.Collection{Name: name, Chunks: n})
	}
	slices.SortFunc(list, func(a, b vectors.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// ofFiles are the points in files' own collections, and those of the files in shared ones.
func (s *Store) ofFiles(ctx context.Context, ids []string) []iter.Seq2[Point, error] {
	return []iter.Seq2[Point, error]{s.readSome(ctx, vectors.FileCollections(ids), ofCollections), s.readSome(ctx, ids, ofFiles)}
}

// Holdings reads the files' own collections, and looks for their chunks in shared ones.
func (s *Store) Holdings(ctx context.Context, ids []string) ([]vectors.Holding, error) {
	found := map[vectors.Holding]bool{}
	for _, points := range s.ofFiles(ctx, ids) {
		for p, err := range points {
			if err != nil {
				return nil, err
			}
			one := vectors.Holding{FileID: p.File, Collection: p.Collection, CreatedBy: p.Maker}
			if id, own := vectors.CollectionOwner(p.Collection); own {
				one.FileID = id
			}
			found[one] = true
		}
	}
	return slices.Collect(maps.Keys(found)), nil
}

// count counts the points of each collection, whoever's.
func (s *Store) count(ctx context.Context) (map[string]int64, error) {
	empty, err := s.server.ListEmpty(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, name := range empty {
		counts[name] = 0
	}
	for p, err := range s.read(ctx, Question{}) {
		if err != nil {
			return nil, err
		}
		counts[p.Collection]++
	}
	return counts, nil
}

// Strange lists collections that are not named as Open WebUI names them.
func (s *Store) Strange(ctx context.Context) ([]string, error) {
	counts, err := s.count(ctx)
	maps.DeleteFunc(counts, func(name string, _ int64) bool { return vectors.IsKnown(name) })
	names := slices.Sorted(maps.Keys(counts))
	return names[:min(len(names), vectors.MaxStrange)], err
}

// ListCollections reads everything, and counts.
func (s *Store) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		counts, err := s.count(ctx)
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

// ListPoints reads these collections.
func (s *Store) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		if err := vectors.CheckListed(collections...); err != nil {
			yield(vectors.Point{}, err)
			return
		}
		for p, err := range s.readSome(ctx, collections, ofCollections) {
			if !yield(vectors.Point{Collection: p.Collection, ID: p.ID}, err) || err != nil {
				return
			}
		}
	}
}

// ListChunks reads these collections.
func (s *Store) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	wanted := vectors.Set(files)
	return func(yield func(vectors.FileChunk, error) bool) {
		if err := vectors.CheckKnowledge(knowledge); err != nil {
			yield(vectors.FileChunk{}, err)
			return
		}
		for p, err := range s.readSome(ctx, knowledge, ofCollections) {
			meant := err != nil || p.File != "" && (len(files) == 0 || wanted[p.File])
			if meant && !yield(vectors.FileChunk{Collection: p.Collection, FileID: p.File, ID: p.ID}, err) || err != nil {
				return
			}
		}
	}
}
