package qdrant_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases, beside the same
// by Qdrant's own delete by a filter, which looks at nothing and asks nobody. FILES=10000
// unless it is set.
func BenchmarkRemove(b *testing.B) {
	for b.Loop() {
		ids, chunks := vectorstest.MakeRemovals(b)
		ours, theirs := newAPI(b, true), newAPI(b, true)
		ours.insert(b, chunks...)
		theirs.insert(b, chunks...)
		store := ours.store(b)
		vectorstest.CompareRemovals(b, ids, store, func(some []string) { theirs.deleteFiles(b, some) })
		require.Empty(b, ours.left(b))
		require.Empty(b, theirs.left(b))
	}
}

// deleteFiles is what Qdrant's own client does for a filter.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	of := map[string]any{"key": "metadata.file_id", "match": map[string]any{"any": files}}
	for _, name := range a.collections(t) {
		a.call(t, http.MethodPost, path(name, "/points/delete?wait=true"), map[string]any{"filter": map[string]any{"must": []any{of}}}, nil)
	}
}
