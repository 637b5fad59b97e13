package chroma_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases of a server,
// beside the same by Chroma's own deletion by a filter, which looks at nothing and asks
// nobody. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	for b.Loop() {
		ids, chunks := vectorstest.MakeRemovals(b)
		server := testenv.StartChroma(b, testenv.MemoryDir(b)).URL()
		ours, theirs := newDatabase(b, server), newDatabase(b, server)
		for some := range slices.Chunk(chunks, 5000) { // what it takes at once
			ours.insert(b, some...)
			theirs.insert(b, some...)
		}
		store := newServer(b, chroma.HTTPOptions{URL: server, Database: ours.database})
		vectorstest.CompareRemovals(b, ids, store, func(some []string) { theirs.deleteFiles(b, some) })
		require.Empty(b, ours.left(b))
		require.Empty(b, theirs.left(b))
	}
}

// deleteFiles is what Chroma's own client does for a filter, in each collection.
func (a api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	for _, id := range a.collections(t) {
		where := map[string]any{"where": map[string]any{"file_id": map[string]any{"$in": files}}}
		a.ask(t, http.MethodPost, "/"+a.database+"/collections/"+id+"/delete", where, &struct{}{})
	}
}
