package opensearch_test

import (
	"net/http"
	"testing"

	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases, beside the same
// by OpenSearch's own deletion by a query, which looks at nothing and asks nobody.
// FILES=10000 unless it is set. Files have no indexes of their own here: to make that many
// takes a server longer than everything else.
func BenchmarkRemove(b *testing.B) {
	vectorstest.BenchmarkRemovals(b, func() vectorstest.Bulk {
		a := newServer(b)
		return vectorstest.Bulk{Fixture: vectorstest.Fixture{Store: a.store(b), Insert: a.insert, Left: a.left}, DeleteFiles: a.deleteFiles}
	})
}

// deleteFiles is what OpenSearch's own client does for a filter, in each index.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	for _, index := range a.indexes(t) {
		query := map[string]any{"query": map[string]any{"terms": map[string]any{"metadata.file_id.keyword": files}}}
		a.call(t, http.MethodPost, index+"/_delete_by_query?refresh=true", query, nil)
	}
}
