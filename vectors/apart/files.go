package apart

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"pruned/vectors"
)

// Files lists the application's places, and reads the metadata in the shared ones, and what
// lies on shelves.
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
		for _, of := range all {
			if !mayHoldFiles(of) {
				continue
			}
			for page, err := range s.server.Read(ctx, of, Question{}) {
				if err != nil {
					yield(vectors.File{}, err)
					return
				}
				for file, n := range countByFile(of, page) {
					if file.Chunks = n; !yield(file, nil) {
						return
					}
				}
			}
		}
	}
}

// mayHoldFiles says that points have to be read to learn of which files there are.
func mayHoldFiles[P Place](of P) bool {
	if shelf := shelfOf(of); shelf != nil {
		return of.HoldsFiles() || shelf.Takes(vectors.FileCollection("any"))
	}
	return of.HoldsFiles() && vectors.IsShared(of.Collection())
}

func countByFile[P Place](of P, page []Point) map[vectors.File]int64 {
	counts := map[vectors.File]int64{}
	for _, p := range page {
		collection := collectionOf(of, p)
		if id, own := vectors.CollectionOwner(collection); own {
			counts[vectors.File{ID: id}]++
		} else if p.File != "" && vectors.IsShared(collection) {
			counts[vectors.File{ID: p.File, Shared: collection}]++
		}
	}
	return counts
}

// Collections counts a file's chunks in its own collection, and in every shared one.
func (s *Store[P]) Collections(ctx context.Context, id string) (list []vectors.Collection, err error) {
	all, err := s.list(ctx)
	if err != nil || !canBeThere(id) {
		return nil, err
	}
	counts := map[string]int64{}
	for _, from := range all.locate([]string{vectors.FileCollection(id)}) {
		n, err := s.count(ctx, from)
		if err != nil {
			return nil, err
		}
		counts[vectors.FileCollection(id)] += n // on several shelves
	}
	for _, of := range all.shared() {
		for page, err := range s.server.Read(ctx, of, ofFiles(of, []string{id})) {
			if err != nil {
				return nil, err
			}
			for _, p := range page {
				counts[collectionOf(of, p)]++
			}
		}
	}
	for name, chunks := range counts {
		if chunks > 0 {
			list = append(list, vectors.Collection{Name: name, Chunks: chunks})
		}
	}
	slices.SortFunc(list, func(a, b vectors.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// count counts what is in a section, which of a shelf has to be read.
func (s *Store[P]) count(ctx context.Context, from section[P]) (n int64, err error) {
	if shelfOf(from.place) == nil {
		return s.server.Count(ctx, from.place)
	}
	for page, err := range s.server.Read(ctx, from.place, from.question(Question{})) {
		if err != nil {
			return 0, err
		}
		n += int64(len(page))
	}
	return n, nil
}

// Holdings reads the files' own collections, and lists their chunks in shared ones.
func (s *Store[P]) Holdings(ctx context.Context, ids []string) (list []vectors.Holding, err error) {
	if ids = vectors.Distinct(ids, canBeThere); len(ids) == 0 {
		return nil, nil
	}
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[vectors.Holding]bool{}
	note := func(of P, q Question) error {
		for page, err := range s.server.Read(ctx, of, q) {
			if err != nil {
				return err
			}
			for _, p := range page {
				one := vectors.Holding{FileID: p.File, Collection: collectionOf(of, p), CreatedBy: p.Maker}
				if id, own := vectors.CollectionOwner(one.Collection); own {
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
	for _, from := range all.locate(vectors.FileCollections(ids)) {
		if err := note(from.place, from.question(Question{})); err != nil {
			return nil, err
		}
	}
	for _, of := range all.shared() {
		for some := range portions(of, ids) {
			if err := note(of, ofFiles(of, some)); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
