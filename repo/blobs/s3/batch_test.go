package s3_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/s3"
	"pruned/repo/testenv"
)

// Hundreds go with few requests, beside what stays; those whose keys a server reads
// differently in a list go alone.
func TestManyGoTogether(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.putMany(t, 600)
	odd := []string{id + "_tab\there", id + `_a\b`, id + "_line\nbreak"}
	for _, key := range append(odd, id+"_stays") {
		w.put(t, key, "bytes")
	}
	var mu sync.Mutex
	asked := map[string]int{}
	store := between(t, w, func(r *http.Response) error {
		mu.Lock()
		defer mu.Unlock()
		asked[r.Request.Method]++
		return nil
	})
	names := odd
	for i := range 600 {
		names = append(names, fmt.Sprintf("%s_%06d", other, i))
	}
	failed, err := store.Remove(t.Context(), names)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Equal(t, []string{id + "_stays"}, w.keys(t))
	require.LessOrEqual(t, asked[http.MethodPost], 6)
	require.Equal(t, len(odd), asked[http.MethodDelete])
	require.LessOrEqual(t, asked[http.MethodHead], 2*len(odd)+asked[http.MethodPost]+2, "odd ones, and the bucket")
}

// A key that may only read is refused many as it is refused one.
func TestManyThatMayNotGo(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *s3.Options) { o.AccessKey = testenv.S3ReadOnlyKey })
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("%s_%d", id, i))
		w.put(t, names[i], "bytes")
	}
	failed, err := w.Remove(t.Context(), names)
	require.NoError(t, err)
	require.Len(t, failed, 20)
	for _, err := range failed {
		require.ErrorIs(t, err, bucket.ErrRefused)
		require.ErrorContains(t, err, "s3:DeleteObject")
	}
	slices.Sort(names)
	require.Equal(t, names, w.keys(t))
}
