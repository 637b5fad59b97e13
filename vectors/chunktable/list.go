package chunktable

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"pruned/vectors"
)

// collectionsAtOnce bounds a question about several collections. One about several files
// reads the whole table.
const collectionsAtOnce = 100

// listIn lists rows of these very collections.
func (s *Store) listIn(ctx context.Context, names []string, metadata bool) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for some := range slices.Chunk(vectors.Distinct(names, s.dialect.CanHold), collectionsAtOnce) {
			wanted := vectors.Set(some)
			for r, err := range s.listRows(ctx, condition{collections: some, metadata: metadata}) {
				if (err != nil || wanted[r.collection]) && !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// listOf lists the chunks of these very files in shared collections.
func (s *Store) listOf(ctx context.Context, files []string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for some := range slices.Chunk(vectors.Distinct(files, s.dialect.CanHold), vectors.FilesAtOnce) {
			wanted := vectors.Set(some)
			for r, err := range s.listRows(ctx, condition{files: some, metadata: true}) {
				if (err != nil || wanted[r.file] && vectors.IsShared(r.collection)) && !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// Files lists the collections, and reads the metadata in the shared ones.
func (s *Store) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		var shared []string
		for c, err := range s.listNames(ctx) {
			id, own := vectors.CollectionOwner(c.Name)
			if vectors.IsShared(c.Name) {
				shared = append(shared, c.Name)
			}
			if (err != nil || own && id != "") && !yield(vectors.File{ID: id, Chunks: c.Chunks}, err) || err != nil {
				return
			}
		}
		for r, err := range s.listIn(ctx, shared, true) {
			if (err != nil || r.file != "") && !yield(vectors.File{ID: r.file, Shared: r.collection, Chunks: 1}, err) || err != nil {
				return
			}
		}
	}
}

// Collections counts a file's chunks in its own collection, and in every shared one.
func (s *Store) Collections(ctx context.Context, id string) ([]vectors.Collection, error) {
	counts := map[string]int64{}
	for _, rows := range []iter.Seq2[row, error]{s.listIn(ctx, []string{vectors.FileCollection(id)}, false), s.listOf(ctx, []string{id})} {
		for r, err := range rows {
			if err != nil {
				return nil, err
			}
			counts[r.collection]++
		}
	}
	var list []vectors.Collection
	for name, chunks := range counts {
		list = append(list, vectors.Collection{Name: name, Chunks: chunks})
	}
	slices.SortFunc(list, func(a, b vectors.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// Holdings reads the files' own collections, and looks for their chunks in shared ones.
func (s *Store) Holdings(ctx context.Context, ids []string) (list []vectors.Holding, err error) {
	seen := map[vectors.Holding]bool{}
	note := func(file string, r row) {
		one := vectors.Holding{FileID: file, Collection: r.collection, CreatedBy: r.maker}
		if !seen[one] {
			seen[one] = true
			list = append(list, one)
		}
	}
	for r, err := range s.listIn(ctx, vectors.FileCollections(ids), true) {
		if err != nil {
			return nil, err
		}
		id, _ := vectors.CollectionOwner(r.collection)
		note(id, r)
	}
	for r, err := range s.listOf(ctx, ids) {
		if err != nil {
			return nil, err
		}
		note(r.file, r)
	}
	return list, nil
}

// ListPoints reads the keys of these collections.
func (s *Store) ListPoints(ctx context.Context, collections []string) iter.Seq2[vectors.Point, error] {
	return func(yield func(vectors.Point, error) bool) {
		if err := vectors.CheckListed(collections...); err != nil {
			yield(vectors.Point{}, err)
			return
		}
		for r, err := range s.listIn(ctx, collections, false) {
			if !yield(vectors.Point{Collection: r.collection, ID: r.id}, err) || err != nil {
				return
			}
		}
	}
}

// ListChunks reads the metadata in these collections.
func (s *Store) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	wanted := vectors.Set(files)
	return func(yield func(vectors.FileChunk, error) bool) {
		if err := vectors.CheckKnowledge(knowledge); err != nil {
			yield(vectors.FileChunk{}, err)
			return
		}
		for r, err := range s.listIn(ctx, knowledge, true) {
			meant := err != nil || r.file != "" && (len(files) == 0 || wanted[r.file])
			if meant && !yield(vectors.FileChunk{Collection: r.collection, FileID: r.file, ID: r.id}, err) || err != nil {
				return
			}
		}
	}
}
