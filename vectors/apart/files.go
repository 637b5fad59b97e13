package apart

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"unicode/utf8"

	"pruned/vectors"
)

// Files lists the application's places, and reads the metadata in the shared ones.
func (s *Store[P]) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		all, err := s.list(ctx)
		if err != nil {
			yield(vectors.File{}, err)
			return
		}
		for _, one := range all {
			if id, own := vectors.CollectionOwner(one.Collection()); own && !yield(vectors.File{ID: id}, nil) {
				return
			}
		}
		for _, of := range all.shared() {
			for page, err := range s.listFilePoints(ctx, of, nil) {
				if err != nil {
					yield(vectors.File{}, err)
					return
				}
				for id, n := range countByFile(page) {
					if !yield(vectors.File{ID: id, Shared: of.Collection(), Chunks: n}, nil) {
						return
					}
				}
			}
		}
	}
}

func countByFile(page []Point) map[string]int64 {
	counts := map[string]int64{}
	for _, o := range page {
		counts[o.File]++
	}
	return counts
}

// listFilePoints lists the chunks of these files, or of any where none is named.
func (s *Store[P]) listFilePoints(ctx context.Context, of P, files []string) iter.Seq2[[]Point, error] {
	return func(yield func([]Point, error) bool) {
		for _, some := range vectors.Portions(files, utf8.ValidString) {
			for page, err := range s.server.Read(ctx, of, Question{Files: some}) {
				page = slices.DeleteFunc(page, func(o Point) bool { return o.File == "" })
				if !yield(page, err) || err != nil {
					return
				}
			}
		}
	}
}

// Collections counts a file's chunks in its own collection, and in every shared one.
func (s *Store[P]) Collections(ctx context.Context, id string) (list []vectors.Collection, err error) {
	all, err := s.list(ctx)
	if err != nil || !utf8.ValidString(id) {
		return nil, err
	}
	for _, of := range all.locate([]string{vectors.FileCollection(id)}) {
		n, err := s.server.Count(ctx, of)
		if err != nil {
			return nil, err
		}
		list = append(list, vectors.Collection{Name: of.Collection(), Chunks: n})
	}
	for _, of := range all.shared() {
		c := vectors.Collection{Name: of.Collection()}
		for page, err := range s.listFilePoints(ctx, of, []string{id}) {
			if err != nil {
				return nil, err
			}
			c.Chunks += int64(len(page))
		}
		list = append(list, c)
	}
	list = slices.DeleteFunc(list, func(c vectors.Collection) bool { return c.Chunks == 0 })
	slices.SortFunc(list, func(a, b vectors.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// Holdings reads the files' own collections, and lists their chunks in shared ones.
func (s *Store[P]) Holdings(ctx context.Context, ids []string) (list []vectors.Holding, err error) {
	if ids = vectors.Distinct(ids, utf8.ValidString); len(ids) == 0 {
		return nil, nil
	}
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[vectors.Holding]bool{}
	note := func(of P, files []string) error {
		for page, err := range s.server.Read(ctx, of, Question{Files: files}) {
			if err != nil {
				return err
			}
			for _, o := range page {
				one := vectors.Holding{FileID: o.File, Collection: of.Collection(), CreatedBy: o.Maker}
				if id, own := vectors.CollectionOwner(of.Collection()); own {
					one.FileID = id
				}
				if !seen[one] {
					seen[one] = true
					list = append(list, one)
				}
			}
		}
		return nil
	}
	for _, of := range all.locate(vectors.FileCollections(ids)) {
		if err := note(of, nil); err != nil {
			return nil, err
		}
	}
	for _, of := range all.shared() {
		for some := range slices.Chunk(ids, vectors.FilesAtOnce) {
			if err := note(of, some); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
