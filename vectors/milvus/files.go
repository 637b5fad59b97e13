package milvus

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"unicode/utf8"

	"pruned/vectors"
)

// Files lists the application's collections, and reads the metadata in the shared ones.
func (s *Store) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		names, err := s.listNames(ctx)
		if err != nil {
			yield(vectors.File{}, err)
			return
		}
		for c, err := range s.listCollections(ctx, names) {
			id, own := vectors.CollectionOwner(c.Name)
			if (err != nil || own) && (!yield(vectors.File{ID: id, Chunks: c.Chunks}, err) || err != nil) {
				return
			}
		}
		for _, from := range s.layout.shared(names) {
			for page, err := range s.listFileRows(ctx, from, nil) {
				if err != nil {
					yield(vectors.File{}, err)
					return
				}
				for f, n := range countByFile(page) {
					if f.Chunks = n; !yield(f, nil) {
						return
					}
				}
			}
		}
	}
}

func countByFile(page []row) map[vectors.File]int64 {
	counts := map[vectors.File]int64{}
	for _, r := range page {
		counts[vectors.File{ID: r.file, Shared: r.collection}]++
	}
	return counts
}

// listFileRows lists the chunks of these files, or of any where none is named, in a section
// where several have theirs.
func (s *Store) listFileRows(ctx context.Context, from section, files []string) iter.Seq2[[]row, error] {
	return func(yield func([]row, error) bool) {
		for _, some := range vectors.Portions(files, utf8.ValidString) {
			for page, err := range s.listRows(ctx, from, question{metadata: true, files: some}) {
				page = slices.DeleteFunc(page, func(r row) bool { return r.file == "" || !vectors.IsShared(r.collection) })
				if !yield(page, err) || err != nil {
					return
				}
			}
		}
	}
}

// Collections counts a file's chunks in its own collection, and in every shared one.
func (s *Store) Collections(ctx context.Context, id string) ([]vectors.Collection, error) {
	names, err := s.listNames(ctx)
	if err != nil || !utf8.ValidString(id) {
		return nil, err
	}
	counts := map[string]int64{}
	for _, from := range s.layout.locate(names, []string{vectors.FileCollection(id)}) {
		for page, err := range s.listRows(ctx, from, question{}) {
			if err != nil {
				return nil, err
			}
			counts[vectors.FileCollection(id)] += int64(len(page))
		}
	}
	for _, from := range s.layout.shared(names) {
		for page, err := range s.listFileRows(ctx, from, []string{id}) {
			if err != nil {
				return nil, err
			}
			for f, n := range countByFile(page) {
				counts[f.Shared] += n
			}
		}
	}
	return listCounts(counts), nil
}

func listCounts(counts map[string]int64) (list []vectors.Collection) {
	for name, chunks := range counts {
		if chunks > 0 {
			list = append(list, vectors.Collection{Name: name, Chunks: chunks})
		}
	}
	slices.SortFunc(list, func(a, b vectors.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Holdings reads the files' own collections, and lists their chunks in shared ones.
func (s *Store) Holdings(ctx context.Context, ids []string) (list []vectors.Holding, err error) {
	names, err := s.listNames(ctx)
	if ids = vectors.Distinct(ids, utf8.ValidString); err != nil || len(ids) == 0 {
		return nil, err
	}
	seen := map[vectors.Holding]bool{}
	note := func(file string, r row) {
		one := vectors.Holding{FileID: file, Collection: r.collection, CreatedBy: r.maker}
		if !seen[one] {
			seen[one] = true
			list = append(list, one)
		}
	}
	for _, from := range s.layout.locate(names, vectors.FileCollections(ids)) {
		for page, err := range s.listRows(ctx, from, question{metadata: true}) {
			if err != nil {
				return nil, err
			}
			for _, r := range page {
				id, _ := vectors.CollectionOwner(r.collection)
				note(id, r)
			}
		}
	}
	for _, from := range s.layout.shared(names) {
		for page, err := range s.listFileRows(ctx, from, ids) {
			if err != nil {
				return nil, err
			}
			for _, r := range page {
				note(r.file, r)
			}
		}
	}
	return list, nil
}
