package vectorstest

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// requireChunks says that the store lists these chunks, and no others, each once.
func (f Fixture) requireChunks(t *testing.T, want []Chunk, knowledge, files []string) {
	t.Helper()
	expected := map[vectors.FileChunk]bool{}
	for _, c := range want {
		expected[vectors.FileChunk{Collection: c.Collection, FileID: c.FileID, ID: c.ID}] = true
	}
	got := map[vectors.FileChunk]bool{}
	for c, err := range f.collectionStore().ListChunks(t.Context(), knowledge, files) {
		require.NoError(t, err)
		require.False(t, got[c], "once: %v", c)
		got[c] = true
	}
	require.Equal(t, expected, got)
}

// listsChunks: those of other collections, of no file, and of other programs are none.
func listsChunks(t *testing.T, f Fixture) {
	base, other, empty := uuid.NewString(), uuid.NewString(), uuid.NewString()
	file := uuid.NewString()
	var chunks, others []Chunk
	for _, id := range append([]string{file}, odd...) {
		if id != "" {
			chunks = append(chunks, newChunk(base, id, ""), newChunk(base, id, ""))
			others = append(others, newChunk(other, id, ""))
		}
	}
	foreign := newChunk(base, file, "")
	foreign.Unnamed = true
	f.Insert(t, append(append(chunks[:len(chunks):len(chunks)], others...), foreign, newChunk(base, "", ""), newChunk(vectors.FileCollection(file), file, ""))...)
	f.requireChunks(t, chunks, []string{base, empty, base}, nil)
	f.requireChunks(t, append(chunks[:len(chunks):len(chunks)], others...), []string{base, other}, nil)
	f.requireChunks(t, nil, []string{empty}, nil)
	f.requireChunks(t, nil, nil, []string{file})
	f.requireChunks(t, append(chunks[:2:2], others[0]), []string{base, other}, []string{file, uuid.NewString(), file})
	for _, name := range []string{"user-memory-x", vectors.FileCollection(file), "company-wiki", fmt.Sprintf("%063x", 1)} {
		for _, err := range f.collectionStore().ListChunks(t.Context(), []string{name}, nil) {
			require.ErrorContains(t, err, name)
		}
	}
	for _, err := range f.collectionStore().ListChunks(t.Context(), []string{base, other}, nil) {
		require.NoError(t, err)
		break
	}
}

// listsChunksOfMany has more than a page in one knowledge base, before and after others.
func listsChunksOfMany(t *testing.T, f Fixture) {
	var chunks []Chunk
	var bases, files []string
	for b, n := range []int{1, 700, 2100, 3} {
		bases = append(bases, fmt.Sprintf("%08x-0000-4000-9000-000000000000", b))
		for c := range n {
			chunks = append(chunks, Chunk{ID: f.pointID(fmt.Sprintf("c%d-%d", b, c)), Collection: bases[b], FileID: fmt.Sprint("f", c%300)})
		}
	}
	for n := range 300 {
		files = append(files, fmt.Sprint("f", n))
	}
	f.Insert(t, chunks...)
	f.requireChunks(t, chunks, bases, nil)
	f.requireChunks(t, chunks, bases, files)
}
