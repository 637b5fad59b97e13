package vectorstest

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

func leavesOthers(t *testing.T, f Fixture) {
	w := newWorld()
	f.Insert(t, w.all()...)
	require.EqualValues(t, len(w.going), f.clean(t, []string{w.locked}, []string{w.loose}))
	f.holds(t, w.staying)
	require.Zero(t, f.clean(t, []string{w.locked}, []string{w.loose}), "the second time")
	f.holds(t, w.staying)
}

// removesWithoutJoining is how a tombstone is carried out, and a store outside
// the transaction is asked to do it without one. A file that was claimed twice has
// two tombstones.
func removesWithoutJoining(t *testing.T, f Fixture) {
	w := newWorld()
	f.Insert(t, w.all()...)
	removed, err := f.Store.Remove(t.Context(), nil, []string{w.locked, w.loose, w.locked})
	require.NoError(t, err)
	require.EqualValues(t, len(w.going), removed.Chunks)
	if len(removed.Waiting) > 0 {
		require.Zero(t, f.remove(t, removed.Waiting), "asked for once")
	}
	f.holds(t, w.staying)
	require.Zero(t, f.remove(t, []string{w.locked, w.loose}), "the second time")
}

func removesNothing(t *testing.T, f Fixture) {
	w := newWorld()
	f.Insert(t, w.staying...)
	require.Zero(t, f.clean(t, []string{w.locked}, []string{w.loose}))
	f.holds(t, w.staying)
}

func doesNothing(t *testing.T, f Fixture) {
	w := newWorld()
	f.Insert(t, w.all()...)
	chunks, rest := f.join(t, nil, nil)
	require.Zero(t, chunks)
	require.False(t, rest)
	require.Zero(t, f.remove(t, nil))
	f.holds(t, w.all())
}

func takesIDsAsTheyAre(t *testing.T, f Fixture) {
	var going, staying []Chunk
	for _, id := range odd {
		going = append(going, f.taken(file(id, "", Base))...)
	}
	for _, id := range neighbours() {
		staying = append(staying, f.taken(file(id, "", Base))...)
	}
	f.Insert(t, append(going, staying...)...)
	require.EqualValues(t, len(going), f.clean(t, odd[:len(odd)/2], odd[len(odd)/2:]))
	f.holds(t, staying)
}

func removesMany(t *testing.T, f Fixture) {
	var ids []string
	var going []Chunk
	for range 500 {
		id := uuid.NewString()
		ids = append(ids, id)
		going = append(going, chunk(vectors.FileCollection(id), id, ""), chunk(Base, id, ""))
	}
	staying := file(uuid.NewString(), "", Base)
	f.Insert(t, append(going, staying...)...)
	require.EqualValues(t, len(going), f.clean(t, ids[:250], ids[250:]))
	f.holds(t, staying)
}

func countsCollections(t *testing.T, f Fixture) {
	w := newWorld()
	f.Insert(t, append(w.all(), chunk(w.bases[0], w.locked, ""))...)
	want := []vectors.Collection{
		{Name: vectors.FileCollection(w.locked), Chunks: 3}, {Name: w.bases[0], Chunks: 4}, {Name: w.bases[1], Chunks: 3},
	}
	slices.SortFunc(want, func(a, b vectors.Collection) int {
		return slices.Compare([]byte(a.Name), []byte(b.Name))
	})
	got, err := f.Store.Collections(t.Context(), w.locked)
	require.NoError(t, err)
	require.Equal(t, want, got)

	got, err = f.Store.Collections(t.Context(), uuid.NewString())
	require.NoError(t, err)
	require.Empty(t, got)
}

func isInOrder(t *testing.T, f Fixture) {
	require.NoError(t, f.Store.Check(t.Context()))
	f.Insert(t, newWorld().all()...)
	require.NoError(t, f.Store.Check(t.Context()))
}
