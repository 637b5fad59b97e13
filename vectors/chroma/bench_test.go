package chroma_test

import (
	"net/http"
	"testing"

	"pruned/repo/testenv"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases of a server,
// beside the same by Chroma's own deletion by a filter, which looks at nothing and asks
// nobody. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	server := testenv.StartChroma(b, testenv.MemoryDir(b)).URL()
	vectorstest.BenchmarkRemovals(b, func() vectorstest.Bulk {
		a := newDatabase(b, server)
		store := newServer(b, chroma.HTTPOptions{URL: server, Database: a.database})
		return vectorstest.Bulk{Fixture: vectorstest.Fixture{Store: store, Insert: a.insert, Left: a.left}, DeleteFiles: a.deleteFiles}
	})
}

// deleteFiles is what Chroma's own client does for a filter, in each collection.
func (a api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	for _, id := range a.collections(t) {
		where := map[string]any{"where": map[string]any{"file_id": map[string]any{"$in": files}}}
		a.ask(t, http.MethodPost, "/"+a.database+"/collections/"+id+"/delete", where, &struct{}{})
	}
}
