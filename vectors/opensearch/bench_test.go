package opensearch_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases, beside the same
// by OpenSearch's own deletion by a query, which looks at nothing and asks nobody.
// FILES=10000 unless it is set. Files have no indexes of their own here: to make that many
// takes a server longer than everything else.
func BenchmarkRemove(b *testing.B) {
	files := 10_000
	if text := os.Getenv("FILES"); text != "" {
		files, _ = strconv.Atoi(text)
	}
	for b.Loop() {
		var ids []string
		var chunks []vectorstest.Chunk
		for n := range files {
			id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
			ids = append(ids, id)
			chunks = append(chunks, many(10, fmt.Sprintf("%08x-0000-4000-9000-000000000000", n%10), id)...)
		}
		ours, theirs := newServer(b), newServer(b)
		ours.insert(b, chunks...)
		theirs.insert(b, chunks...)
		store := ours.store(b)
		began := time.Now()
		for n := 0; n < files; n += 500 {
			_, err := store.Remove(b.Context(), nil, ids[n:min(n+500, files)])
			require.NoError(b, err)
		}
		took := time.Since(began)
		require.Empty(b, ours.left(b))

		began = time.Now()
		for n := 0; n < files; n += 500 {
			theirs.deleteFiles(b, ids[n:min(n+500, files)])
		}
		bulk := time.Since(began)
		require.Empty(b, theirs.left(b))
		b.ReportMetric(float64(files)/took.Seconds(), "files/s")
		b.ReportMetric(float64(files)/bulk.Seconds(), "bulk-files/s")
		b.ReportMetric(bulk.Seconds()/took.Seconds(), "of-bulk")
	}
}

// deleteFiles is what OpenSearch's own client does for a filter, in each index.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	for _, index := range a.indexes(t) {
		query := map[string]any{"query": map[string]any{"terms": map[string]any{"metadata.file_id.keyword": files}}}
		a.call(t, http.MethodPost, index+"/_delete_by_query?refresh=true", query, nil)
	}
}
