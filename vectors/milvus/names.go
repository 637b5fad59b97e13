package milvus

import (
	"context"
	"iter"
	"strings"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"pruned/vectors"
)

// stagingSuffix ends the names of copies that the application makes at its start, of
// collections from before version 2.5 of the server. It then drops the collection and
// renames the copy: whatever was removed from the collection meanwhile, or with it, comes
// back.
const stagingSuffix = "_bm25_staging"

// listNames comes before anything else: it fails where the server has not what the
// settings say, and while the application moves collections.
func (s *Store) listNames(ctx context.Context) (serverNames, error) {
	answer, err := call(ctx, s, "list the collections", s.server.ShowCollections, &milvuspb.ShowCollectionsRequest{})
	if err != nil {
		return nil, err
	}
	names := serverNames{}
	for _, name := range answer.GetCollectionNames() {
		if strings.HasSuffix(name, stagingSuffix) {
			return nil, unusable("the Milvus server at %s has a collection %s: Open WebUI is about to move its chunks, or was stopped while it did, and would bring back what is removed now; start it and let it finish", s.host, name)
		}
		names[name] = true
	}
	return names, s.checkLayout(names)
}

// checkLayout refuses a server that only has what the other mode makes: nothing would be
// found there, and everything would be taken for removed.
func (s *Store) checkLayout(names serverNames) error {
	other, setting := layout(single{}), "false"
	if _, is := s.layout.(single); is {
		other, setting = tenancy{strings.TrimSuffix(singlePrefix, "_")}, "true"
	}
	strange := ""
	for name := range names {
		if s.layout.accepts(name) {
			return nil
		}
		if other.accepts(name) {
			strange = name
		}
	}
	if strange != "" {
		return unusable("the Milvus server at %s has a collection %s, and none as ENABLE_MILVUS_MULTITENANCY_MODE and MILVUS_COLLECTION_PREFIX say: wanted both as Open WebUI has them, the first perhaps %s", s.host, strange, setting)
	}
	return nil
}

// listCollections lists the application's collections, one perhaps more than once, with
// its rows where each row had to be read.
func (s *Store) listCollections(ctx context.Context, names serverNames) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		for _, name := range names.sorted() {
			if logical, is := s.layout.logical(name); is && !yield(vectors.Collection{Name: logical}, nil) {
				return
			}
		}
		for _, one := range s.layout.all(names) {
			for page, err := range s.listRows(ctx, one, question{}) {
				if err != nil {
					yield(vectors.Collection{}, err)
					return
				}
				counts := map[string]int64{}
				for _, r := range page {
					counts[r.collection]++
				}
				for logical, n := range counts {
					if !yield(vectors.Collection{Name: logical, Chunks: n}, nil) {
						return
					}
				}
			}
		}
	}
}

// Strange lists what the layout does not know by the server's own names, and what rows say
// by theirs.
func (s *Store) Strange(ctx context.Context) (list []string, err error) {
	names, err := s.listNames(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for name := range names {
		if !s.layout.accepts(name) {
			seen[name] = true
		}
	}
	for c, err := range s.listCollections(ctx, names) {
		if err != nil {
			return nil, err
		}
		if !vectors.IsKnown(c.Name) {
			seen[c.Name] = true
		}
	}
	list = serverNames(seen).sorted()
	return list[:min(len(list), vectors.MaxStrange)], nil
}
