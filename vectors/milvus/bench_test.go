package milvus_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each on the engine, five in a collection of
// their own and five in a knowledge base, beside the same by Milvus' own delete by a filter,
// which looks at nothing and asks nobody. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	files := vectorstest.FilesToRemove(b)
	server := testenv.SharedMilvus(b)
	for b.Loop() {
		var ids []string
		var chunks []vectorstest.Chunk
		for n := range files {
			id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
			ids = append(ids, id)
			for c := range 10 {
				chunk := vectorstest.Chunk{ID: fmt.Sprintf("%s-%d", id, c), FileID: id, Collection: vectors.FileCollection(id)}
				if c%2 == 0 {
					chunk.Collection = vectorstest.Base
				}
				chunks = append(chunks, chunk)
			}
		}
		ours, theirs := newDatabase(b, server.URL(), true), newDatabase(b, server.URL(), true)
		ours.insert(b, chunks...)
		theirs.insert(b, chunks...)
		store := ours.store(b)
		vectorstest.CompareRemovals(b, ids, store, func(some []string) { theirs.deleteFiles(b, some) })
		require.Empty(b, ours.left(b))
		require.Empty(b, theirs.left(b))
	}
}

// deleteFiles is what Milvus' own client does for a filter.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	list, own := "", ""
	for i, id := range files {
		if i > 0 {
			list, own = list+",", own+","
		}
		list, own = list+strconv.Quote(id), own+strconv.Quote(vectors.FileCollection(id))
	}
	for name, filter := range map[string]string{"open_webui_files": "resource_id in [" + own + "]", "open_webui_knowledge": `metadata["file_id"] in [` + list + `]`} {
		answer, err := a.Delete(t.Context(), &milvuspb.DeleteRequest{CollectionName: name, Expr: filter, ConsistencyLevel: commonpb.ConsistencyLevel_Strong})
		done(t)(answer.GetStatus(), err)
	}
}
