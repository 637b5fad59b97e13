package sqlite

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestSeenForgetsNothing: neither random ids nor those that differ in a few bits
// only, nor repeated ones, and it does not take others for them.
func TestSeenForgetsNothing(t *testing.T) {
	t.Parallel()
	s := &uuidSet{}
	var ids []uuid.UUID
	for i := range 300_000 {
		id := uuid.New()
		if i%2 == 0 {
			id = uuid.UUID{0: 1, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
		}
		ids = append(ids, id)
		s.addHash(hashUUID((*[16]byte)(&id)))
		s.addHash(hashUUID((*[16]byte)(&ids[i/2])))
	}
	for _, id := range ids {
		require.True(t, s.contains(hashUUID((*[16]byte)(&id))))
	}
	n := 0
	for i := range s.buckets {
		f := &s.buckets[i]
		require.True(t, slices.IsSorted(f.values[:f.sorted]))
		require.Equal(t, slices.Compact(slices.Clone(f.values[:f.sorted])), f.values[:f.sorted])
		n += len(f.values)
	}
	require.Less(t, n, 330_000, "each is there once, but for the newest")
	mistaken := 0
	for range 10_000 {
		if id := uuid.New(); s.contains(hashUUID((*[16]byte)(&id))) {
			mistaken++
		}
	}
	require.LessOrEqual(t, mistaken, 1, "42 bits of each: one run in 1,500 has one")
}
