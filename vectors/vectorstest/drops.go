package vectorstest

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// removesBesideDrops: what somebody else drops between the look and the removal is gone, or
// the store's failure, and no removal makes it again. Of what is stored there again, before
// the removal comes or after it, goes what was meant, and nothing else.
func removesBesideDrops(t *testing.T, f Fixture) {
	for _, whole := range []bool{true, false} {
		file, other := uuid.NewString(), uuid.NewString()
		collection := Base
		if whole {
			collection = vectors.FileCollection(file)
		}
		chunks := func() []Chunk { return []Chunk{newChunk(collection, file, ""), newChunk(collection, file, "")} }
		var stays []Chunk
		if !whole {
			stays = []Chunk{newChunk(collection, other, "")}
		}
		f.Insert(t, append(chunks(), stays...)...)
		f.removeBeside(t, file, func() { f.Drop(t, collection) })
		require.Empty(t, f.Left(t))
		for c, err := range f.collectionStore().ListCollections(t.Context()) {
			require.NoError(t, err)
			require.NotEqual(t, collection, c.Name, "a removal makes none")
		}

		f.Insert(t, append(chunks(), stays...)...)
		require.EqualValues(t, 2, f.removeAll(t, []string{file}), "stored again after the removal")
		f.requireHeld(t, stays)

		f.Insert(t, chunks()...)
		f.removeBeside(t, file, func() {
			f.Drop(t, collection)
			f.Insert(t, append(chunks(), stays...)...)
		})
		f.removeAll(t, []string{file})
		f.requireHeld(t, stays)
		f.removeCollections(t, []string{Base})
	}
}

// removeBeside removes a file, once something else was done when the store had looked, or was
// begun, where that waits for the removal.
func (f Fixture) removeBeside(t *testing.T, file string, meanwhile func()) {
	t.Helper()
	asked := 0
	var running sync.WaitGroup
	_, err := f.Store.(vectors.Guarded).RemoveGuarded(t.Context(), []string{file}, func(_ context.Context, ids []string) ([]string, error) {
		if asked++; asked == 1 {
			running.Go(meanwhile)
		}
		if !f.Locks {
			running.Wait()
		}
		return ids, nil
	})
	running.Wait()
	require.Positive(t, asked, "it was found")
	if err != nil {
		require.ErrorIs(t, err, vectors.ErrUnusable)
	}
}

// SurviveKill removes a file while the server is killed, in the midst of the set: that is the
// store's failure, what was not asked for stays, and the rest goes the next time.
func SurviveKill(t *testing.T, f Fixture, kill, restart func()) {
	t.Helper()
	file := uuid.NewString()
	var chunks []Chunk
	for range 150 {
		chunks = append(chunks, newChunk(vectors.FileCollection(file), file, ""), newChunk(Base, file, ""))
	}
	stays := fileChunks(uuid.NewString(), "", Base)
	f.Insert(t, append(chunks, stays...)...)
	asked := 0
	_, err := f.Store.(vectors.Guarded).RemoveGuarded(t.Context(), []string{file}, func(_ context.Context, ids []string) ([]string, error) {
		if asked++; asked == 2 {
			kill()
		}
		return ids, nil
	})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.Equal(t, 2, asked, "its own collection went")
	require.ErrorIs(t, f.Store.Check(t.Context()), vectors.ErrUnusable)
	restart()

	left := f.Left(t)
	require.Subset(t, left, idsOf(stays))
	require.Less(t, len(left), len(chunks)+len(stays), "some went")
	require.Greater(t, len(left), len(stays), "some are left")
	require.EqualValues(t, len(left)-len(stays), f.removeAll(t, []string{file}))
	f.requireHeld(t, stays)
}
