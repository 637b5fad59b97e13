package weaviate_test

import (
	"net/http"
	"testing"

	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases, beside the same
// by Weaviate's own batch delete by a filter, which looks at nothing and asks nobody.
// FILES=10000 unless it is set. Files have no classes of their own here: to make that many
// takes a server longer than everything else.
func BenchmarkRemove(b *testing.B) {
	vectorstest.BenchmarkRemovals(b, func() vectorstest.Bulk {
		a := newServer(b)
		return vectorstest.Bulk{Fixture: vectorstest.Fixture{Store: a.store(b), Insert: a.insert, Left: a.left}, DeleteFiles: a.deleteFiles}
	})
}

// deleteFiles is what Weaviate's own client does for a filter, in each class.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	for _, class := range a.classes(t) {
		where := map[string]any{"path": []string{"file_id"}, "operator": "ContainsAny", "valueTextArray": files}
		a.call(t, http.MethodDelete, "batch/objects", map[string]any{"match": map[string]any{"class": class, "where": where}, "output": "minimal"}, nil)
	}
}
