package vectorstest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

func rollsBack(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	tx := f.Begin(t)
	chunks, rest, err := f.Store.(vectors.Transactional).RemoveInTx(t.Context(), tx, []string{w.locked, w.loose})
	require.NoError(t, err)
	if rest {
		more, err := f.Store.Remove(t.Context(), tx, []string{w.locked, w.loose})
		require.NoError(t, err)
		chunks += more.Chunks
	}
	require.EqualValues(t, len(w.going), chunks)
	require.NoError(t, tx.Rollback(t.Context()))
	f.requireHeld(t, w.allChunks())
}

// skipsHeld holds, of a file with a row and of one without, the first chunk of
// each collection.
func skipsHeld(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	var held []Chunk
	var release []func()
	for i := 0; i < len(w.going); i += 3 {
		held = append(held, w.going[i])
		release = append(release, f.Hold(t, w.going[i].ID))
	}
	chunks, rest := f.removeInTx(t, []string{w.locked, w.loose})
	require.True(t, rest, "chunks are left")
	ids := []string{w.locked, w.loose}
	require.EqualValues(t, len(w.going)-len(held), chunks+f.removeAll(t, ids))
	f.requireHeld(t, slices.Concat(w.staying, held))

	for _, let := range release {
		let()
	}
	require.EqualValues(t, len(held), f.removeAll(t, ids))
	f.requireHeld(t, w.staying)
}

// skipsWorker has two workers with the same files, in opposite order and at the
// same time.
func skipsWorker(t *testing.T, f Fixture) {
	w := f.newWorld()
	f.Insert(t, w.allChunks()...)
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	defer cancel()
	store, one, other := f.Store.(vectors.Transactional), f.Begin(t), f.Begin(t)
	first, _, err := store.RemoveInTx(ctx, one, []string{w.locked, w.loose})
	require.NoError(t, err)
	second, rest, err := store.RemoveInTx(ctx, other, []string{w.loose, w.locked})
	require.NoError(t, err)
	require.Zero(t, second)
	require.True(t, rest, "until the first commits, its chunks are there")
	require.NoError(t, one.Commit(ctx))
	require.NoError(t, other.Commit(ctx))
	require.EqualValues(t, len(w.going), first+f.removeAll(t, []string{w.locked, w.loose}))
	f.requireHeld(t, w.staying)
}
