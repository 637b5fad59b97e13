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

// owners counts the chunks of each file: by the name of its own collection, in
// shared ones by the metadata.
func owners(chunks []Chunk) map[string]int64 {
	files := map[string]int64{}
	for _, c := range chunks {
		id, own := strings.CutPrefix(c.Collection, "file-")
		if !own {
			id = c.FileID
		}
		if id != "" {
			files[id]++
		}
	}
	return files
}

func keys(files map[string]int64) []string { return slices.Sorted(maps.Keys(files)) }

// listed are the files that the store lists.
func (f Fixture) listed(t *testing.T) []string {
	t.Helper()
	ids := map[string]int64{}
	for file, err := range f.Store.Files(t.Context()) {
		require.NoError(t, err)
		ids[file.ID]++
	}
	return keys(ids)
}

// lists says that the store lists exactly the files of these chunks, and counts
// none too often.
func (f Fixture) lists(t *testing.T, chunks []Chunk) {
	t.Helper()
	want, got := owners(chunks), map[string]int64{}
	for file, err := range f.Store.Files(t.Context()) {
		require.NoError(t, err)
		got[file.ID] += file.Chunks
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
	for id, n := range got {
		require.LessOrEqual(t, n, want[id], id)
	}
}

func listsFiles(t *testing.T, f Fixture) {
	w := newWorld()
	f.lists(t, nil)
	f.Insert(t, w.all()...)
	f.lists(t, w.all())
	f.clean(t, []string{w.locked}, []string{w.loose})
	f.lists(t, w.staying)
}

func listsOddIDs(t *testing.T, f Fixture) {
	var chunks []Chunk
	for _, id := range slices.Concat(odd, neighbours()) {
		if id != "" {
			chunks = append(chunks, f.taken(file(id, "", Base))...)
		}
	}
	f.Insert(t, chunks...)
	f.lists(t, chunks)
}

// listsMany has files that lie in an own collection, in a shared one, in both.
func listsMany(t *testing.T, f Fixture) {
	var chunks []Chunk
	for n := range 1200 {
		id := uuid.NewString()
		if n%3 != 0 {
			chunks = append(chunks, chunk(vectors.FileCollection(id), id, ""))
		}
		if n%3 != 1 {
			chunks = append(chunks, chunk(fmt.Sprintf("b0000000-0000-4000-8000-%012d", n%7), id, ""), chunk(otherBase, id, ""))
		}
	}
	f.Insert(t, chunks...)
	f.lists(t, chunks)
}

// listsAsFarAsWanted also goes on working when it was left.
func listsAsFarAsWanted(t *testing.T, f Fixture) {
	w := newWorld()
	f.Insert(t, w.all()...)
	for n := range 3 {
		for _, err := range f.Store.Files(t.Context()) {
			require.NoError(t, err)
			if n--; n < 0 {
				break
			}
		}
	}
	f.lists(t, w.all())
}
