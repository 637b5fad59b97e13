package vectorstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// countByOwner counts the chunks of each file: by the name of its own collection, in
// each shared one by the metadata.
func countByOwner(chunks []Chunk) map[vectors.File]int64 {
	files := map[vectors.File]int64{}
	for _, c := range chunks {
		id, own := strings.CutPrefix(c.Collection, "file-")
		switch {
		case own:
			files[vectors.File{ID: id}]++
		case c.FileID != "":
			files[vectors.File{ID: c.FileID, Shared: c.Collection}]++
		}
	}
	return files
}

func sortedKeys[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }

// listFiles are the files that the store lists.
func (f Fixture) listFiles(t *testing.T) []string {
	t.Helper()
	ids := map[string]int64{}
	for file, err := range f.Store.Files(t.Context()) {
		require.NoError(t, err)
		ids[file.ID]++
	}
	return sortedKeys(ids)
}

// requireListed says that the store lists exactly the files of these chunks, where they are,
// and counts none too often.
func (f Fixture) requireListed(t *testing.T, chunks []Chunk) {
	t.Helper()
	want, got := countByOwner(chunks), map[vectors.File]int64{}
	for file, err := range f.Store.Files(t.Context()) {
		require.NoError(t, err)
		got[vectors.File{ID: file.ID, Shared: file.Shared}] += file.Chunks
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
	for id, n := range got {
		require.LessOrEqual(t, n, want[id], id)
	}
}

func listsFiles(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.requireListed(t, nil)
	f.Insert(t, w.allChunks()...)
	f.requireListed(t, w.allChunks())
	f.removeFiles(t, []string{w.locked, w.loose})
	f.requireListed(t, w.staying)
}

func listsOddIDs(t *testing.T, f Fixture) {
	var chunks []Chunk
	for _, id := range slices.Concat(odd, similarIDs()) {
		if id != "" {
			chunks = append(chunks, f.takenChunks(fileChunks(id, "", Base))...)
		}
	}
	f.Insert(t, chunks...)
	f.requireListed(t, chunks)
}

// listsMany has files that lie in an own collection, in a shared one, in both. There are
// 520 own ones, which is more than a page of any store that has pages of collections.
func listsMany(t *testing.T, f Fixture) {
	var chunks []Chunk
	for n := range f.manyCollections(780) {
		id := uuid.NewString()
		if n%3 != 0 {
			chunks = append(chunks, newChunk(vectors.FileCollection(id), id, ""))
		}
		if n%3 != 1 {
			chunks = append(chunks, newChunk(fmt.Sprintf("b0000000-0000-4000-8000-%012d", n%7), id, ""), newChunk(otherBase, id, ""))
		}
	}
	f.Insert(t, chunks...)
	f.requireListed(t, chunks)
}

// listsAsFarAsWanted also goes on working when it was left.
func listsAsFarAsWanted(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	for n := range 3 {
		for _, err := range f.Store.Files(t.Context()) {
			require.NoError(t, err)
			if n--; n < 0 {
				break
			}
		}
	}
	f.requireListed(t, w.allChunks())
}
