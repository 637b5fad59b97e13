package qdrant_test

import (
	"net/http"
	"testing"

	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases, beside the same
// by Qdrant's own delete by a filter, which looks at nothing and asks nobody. FILES=10000
// unless it is set.
func BenchmarkRemove(b *testing.B) {
	vectorstest.BenchmarkRemovals(b, func() vectorstest.Bulk {
		a := newAPI(b, true)
		return vectorstest.Bulk{Fixture: vectorstest.Fixture{Store: a.store(b), Insert: a.insert, Left: a.left}, DeleteFiles: a.deleteFiles}
	})
}

// deleteFiles is what Qdrant's own client does for a filter.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	of := map[string]any{"key": "metadata.file_id", "match": map[string]any{"any": files}}
	for _, name := range a.collections(t) {
		a.call(t, http.MethodPost, path(name, "/points/delete?wait=true"), map[string]any{"filter": map[string]any{"must": []any{of}}}, nil)
	}
}
