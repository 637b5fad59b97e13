package leftover_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/leftover"
	"pruned/vectors"
)

// shelf is a store of chunks alone.
type shelf struct {
	vectors.CollectionStore
	chunks []vectors.FileChunk
	gone   []string
}

func (s *shelf) ListChunks(_ context.Context, _, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		for _, c := range s.chunks {
			if (len(files) == 0 || slices.Contains(files, c.FileID)) && !yield(c, nil) {
				return
			}
		}
	}
}

func (s *shelf) RemovePoints(_ context.Context, _ vectors.Tx, _ string, ids []string, _ vectors.Guard) (vectors.Removed, error) {
	s.gone = append(s.gone, ids...)
	return vectors.Removed{Chunks: int64(len(ids)), Waiting: ids}, nil
}

func (s *shelf) held(t *testing.T) []leftover.Leftover {
	t.Helper()
	held, err := leftover.ListHeld(t.Context(), s, nil, nil)
	require.NoError(t, err)
	return slices.Collect(maps.Keys(held))
}

// Those chunks go that were seen; not one that came later, nor any where one went.
func TestHeldAreThoseThatWereSeen(t *testing.T) {
	t.Parallel()
	chunk := func(file, id string) vectors.FileChunk {
		return vectors.FileChunk{Collection: knowledge, FileID: file, ID: id}
	}
	s := &shelf{chunks: []vectors.FileChunk{chunk("f", "1"), chunk("f", "2"), chunk("a/b", "3")}}
	seen := s.held(t)
	require.Len(t, seen, 1, "of a name that cannot be read back nothing is told")
	file, is := seen[0].HeldFile()
	require.True(t, is)
	require.Equal(t, "f", file)
	require.Equal(t, time.Hour, seen[0].MinGrace())

	s.chunks = []vectors.FileChunk{chunk("f", "2"), chunk("f", "1"), chunk("g", "4")}
	chunks, rest, err := leftover.Remove(t.Context(), s, nil, seen, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, chunks)
	require.Equal(t, []string{"1", "2"}, s.gone, "in any order they are the same")
	require.Equal(t, seen, rest, "once, whatever of it waits")

	for _, others := range [][]vectors.FileChunk{{chunk("f", "1")}, {chunk("f", "1"), chunk("f", "5")}, {chunk("f", "1"), chunk("f", "2"), chunk("f", "5")}, nil} {
		s.chunks, s.gone = others, nil
		chunks, rest, err = leftover.Remove(t.Context(), s, nil, seen, nil)
		require.NoError(t, err)
		require.Zero(t, chunks)
		require.Empty(t, rest)
		require.Empty(t, s.gone)
		require.NotContains(t, s.held(t), seen[0])
	}
}
