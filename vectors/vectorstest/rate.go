package vectorstest

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// How many files go by one call of a benchmark: as many tombstones as the program carries out
// at once, beside filters of a length that servers take.
const filesAtOnce, filteredAtOnce = 10_000, 500

// FilesToRemove is how many files a benchmark of removals has: FILES, or 10,000.
func FilesToRemove(b *testing.B) int {
	b.Helper()
	text := os.Getenv("FILES")
	if text == "" {
		return 10_000
	}
	files, err := strconv.Atoi(text)
	require.NoError(b, err, "FILES")
	return files
}

// MakeRemovals are so many files with ten chunks each in ten knowledge bases: to make a
// collection for each file takes many a server longer than everything else.
func MakeRemovals(b *testing.B) (ids []string, chunks []Chunk) {
	b.Helper()
	for n := range FilesToRemove(b) {
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		ids = append(ids, id)
		chunks = append(chunks, MakeChunks(10, fmt.Sprintf("%08x-0000-4000-9000-000000000000", n%10), id)...)
	}
	return ids, chunks
}

// MakeChunks are n chunks of one file in one collection.
func MakeChunks(n int, collection, file string) (chunks []Chunk) {
	for range n {
		chunks = append(chunks, Chunk{ID: uuid.NewString(), Collection: collection, FileID: file})
	}
	return chunks
}

// Bulk is a server that has a way of its own to delete what a filter finds, which looks at
// nothing and asks nobody.
type Bulk struct {
	Fixture
	DeleteFiles func(t testing.TB, files []string)
}

// BenchmarkRemovals compares the removal of MakeRemovals' files from one server with their
// deletion in bulk from another; open makes each, empty.
func BenchmarkRemovals(b *testing.B, open func() Bulk) {
	b.Helper()
	for b.Loop() {
		ids, chunks := MakeRemovals(b)
		ours, theirs := open(), open()
		for some := range slices.Chunk(chunks, insertedAtOnce) {
			ours.Insert(b, some...)
			theirs.Insert(b, some...)
		}
		CompareRemovals(b, ids, ours.Store, func(some []string) { theirs.DeleteFiles(b, some) })
		require.Empty(b, ours.Left(b))
		require.Empty(b, theirs.Left(b))
	}
}

// CompareRemovals removes files from a store, and the same from another by bulk, the store's
// own way to delete what a filter finds. It reports both rates, in files a second, and their
// ratio.
func CompareRemovals(b *testing.B, ids []string, store vectors.Store, bulk func(ids []string)) {
	b.Helper()
	ours := timeRemovals(ids, filesAtOnce, func(some []string) {
		_, err := store.Remove(b.Context(), nil, some)
		require.NoError(b, err)
	})
	theirs := timeRemovals(ids, filteredAtOnce, bulk)
	b.ReportMetric(float64(len(ids))/ours.Seconds(), "files/s")
	b.ReportMetric(float64(len(ids))/theirs.Seconds(), "bulk-files/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bulk")
}

func timeRemovals(ids []string, atOnce int, remove func(some []string)) time.Duration {
	began := time.Now()
	for some := range slices.Chunk(ids, atOnce) {
		remove(some)
	}
	return time.Since(began)
}
