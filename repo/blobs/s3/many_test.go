package s3_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// manyObjects is the number of objects of a long listing; PRUNED_TEST_OBJECTS is another.
func manyObjects() int {
	n, err := strconv.Atoi(os.Getenv("PRUNED_TEST_OBJECTS"))
	if err != nil {
		return 3000
	}
	return n
}

// A listing of many pages, while others write and remove, has each object once that is
// there all the while; it holds no more than a page.
func TestManyObjectsWhileOthersWrite(t *testing.T) { // alone: it measures the heap
	w := open(t, nil)
	many := manyObjects()
	w.putMany(t, many)

	wrote, listed := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 0; ; n++ {
			name := fmt.Sprintf("%s_%06d", id, n)
			w.put(t, name, "bytes")
			if n%2 == 0 {
				failed, err := w.Remove(t.Context(), []string{name})
				if err != nil || len(failed) > 0 {
					t.Error(err, failed)
				}
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
			<-wrote
		}
	}
	close(listed)
	writing.Wait()
	for i := range many {
		require.True(t, seen[fmt.Sprintf("%s_%06d", other, i)])
	}
	clear(seen)
	require.Less(t, w.heapOfListing(t), uint64(8<<20))
}

// heapOfListing is the most that a listing holds.
func (w *world) heapOfListing(t *testing.T) (most uint64) {
	t.Helper()
	before, n := heap(), 0
	for _, err := range w.List(t.Context()) {
		require.NoError(t, err)
		if n++; n%1000 == 0 {
			most = max(most, heap()-min(before, heap()))
		}
	}
	return most
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
