package buckettest

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// maxListing is more than a page of any server takes.
const maxListing = 8 << 20

// RequireFlatListing lists many objects, and requires that the listing holds no more than a
// page of them. It measures the heap: no other test may run beside it.
func RequireFlatListing(t *testing.T, s Server) {
	t.Helper()
	w := s.world(t)
	require.NoError(t, testenv.PutMany(t.Context(), w.Bucket, s.keysOf(s.many()), []byte("bytes")))
	every := max(s.many()/25, 1)
	before, most, n := heap(), uint64(0), 0
	for _, err := range w.List(t.Context()) {
		require.NoError(t, err)
		if n++; n%every == 0 {
			most = max(most, heap())
		}
	}
	require.Equal(t, s.many(), n)
	require.NotZero(t, most)
	require.Less(t, most, before+maxListing)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
