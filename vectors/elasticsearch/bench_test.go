package elasticsearch_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each, one in the file's own collection and nine in
// ten knowledge bases, beside the same by the server's own deletion by a query, which looks at
// nothing and asks nobody. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	files := vectorstest.FilesToRemove(b)
	for b.Loop() {
		var ids []string
		var chunks []vectorstest.Chunk
		for n := range files {
			id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
			ids = append(ids, id)
			chunks = append(chunks, vectorstest.MakeChunks(1, vectors.FileCollection(id), id)...)
			chunks = append(chunks, vectorstest.MakeChunks(9, fmt.Sprintf("%08x-0000-4000-9000-000000000000", n%10), id)...)
		}
		ours, theirs := newAPI(b), newAPI(b)
		ours.insert(b, chunks...)
		theirs.insert(b, chunks...)
		vectorstest.CompareRemovals(b, ids, ours.store(b), func(some []string) { theirs.deleteFiles(b, some) })
		require.Empty(b, ours.left(b))
		require.Empty(b, theirs.left(b))
	}
}

// deleteFiles is what the application's client does for a filter.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	query := map[string]any{"query": map[string]any{"terms": map[string]any{"metadata.file_id": files}}}
	a.call(t, http.MethodPost, a.prefix+"_*/_delete_by_query?refresh=true", query, nil)
}
