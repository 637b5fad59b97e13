package buckettest

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// keysOf are those of n objects of Other's, in order.
func (s Server) keysOf(n int) (keys []string) {
	for i := range n {
		keys = append(keys, s.key(fmt.Sprintf("%s_%06d", Other, i)))
	}
	return keys
}

// manyGoTogether: many go with few requests, beside what stays; those whose keys a server
// reads differently in a list go alone.
func manyGoTogether(t *testing.T, s Server) {
	w := s.world(t)
	names := s.keysOf(150)
	require.NoError(t, testenv.PutMany(t.Context(), w.Bucket, names, []byte("bytes")))
	odd := []string{s.key(ID + "_tab\there"), s.key(ID + `_a\b`), s.key(ID + "_line\nbreak")}
	for _, key := range append(odd, s.key(ID+"_stays")) {
		w.Put(t, key, "bytes")
	}
	var mu sync.Mutex
	asked := map[string]int{}
	store := w.Behind(t, Front{Change: func(r *http.Response) error {
		mu.Lock()
		defer mu.Unlock()
		asked[r.Request.Method]++
		return nil
	}})
	failed, err := store.Remove(t.Context(), append(names, odd...))
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Equal(t, []string{s.key(ID + "_stays")}, w.Keys(t))
	if s.Together {
		require.LessOrEqual(t, asked[http.MethodPost], 2)
		require.Equal(t, len(odd), asked[http.MethodDelete])
	}
}

// manyWhileOthersWrite: a listing, while others write and remove, has each object once that
// is there all the while.
func manyWhileOthersWrite(t *testing.T, s Server) {
	w := s.world(t)
	many := s.many()
	require.NoError(t, testenv.PutMany(t.Context(), w.Bucket, s.keysOf(many), []byte("bytes")))
	wrote, listed := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 0; ; n++ {
			name := s.key(fmt.Sprintf("%s_%06d", ID, n))
			err := w.Bucket.Put(t.Context(), name, []byte("bytes"))
			if err == nil && n%2 == 0 {
				_, err = w.Remove(t.Context(), []string{name})
			}
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case <-listed:
				return
			case wrote <- struct{}{}:
			}
		}
	})
	seen := map[string]bool{}
	for one, err := range w.List(t.Context()) {
		require.NoError(t, err)
		require.False(t, seen[one.Name], one.Name)
		seen[one.Name] = true
		if len(seen)%1000 == 0 {
			select {
			case <-wrote:
			case <-t.Context().Done():
			}
		}
	}
	close(listed)
	writing.Wait()
	for _, key := range s.keysOf(many) {
		require.True(t, seen[key])
	}
}
