package vectorstest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// asksTheGuard: what came back keeps its chunks, in its own collection and in shared
// ones, also if it comes back on the way; what the guard does not know stays.
func asksTheGuard(t *testing.T, f Fixture) {
	store, asks := f.Store.(vectors.Guarded)
	if !asks {
		require.NotNil(t, f.Begin, "a store outside the database asks")
		return
	}
	going, kept, late := uuid.NewString(), uuid.NewString(), uuid.NewString()
	ids := []string{going, kept, late}
	goes := fileChunks(going, "", Base)
	stays := slices.Concat(fileChunks(kept, "", Base), fileChunks(uuid.NewString(), "", Base))
	back := fileChunks(late, "", Base)
	all := slices.Concat(goes, stays, back)
	f.Insert(t, all...)

	failure := errors.New("the database does not answer")
	_, err := store.RemoveGuarded(t.Context(), ids, func(context.Context, []string) ([]string, error) { return nil, failure })
	require.ErrorIs(t, err, failure)
	f.requireHeld(t, all)

	asked := map[string]int{}
	removed, err := store.RemoveGuarded(t.Context(), ids, func(_ context.Context, ids []string) (may []string, err error) {
		for _, id := range ids {
			if asked[id]++; id == going || id == late && asked[id] == 1 {
				may = append(may, id)
			}
		}
		return may, nil
	})
	require.NoError(t, err)
	if len(removed.Waiting) > 0 {
		f.Apply(t)
	}
	for _, c := range back {
		if c.Collection == Base {
			stays = append(stays, c)
		}
	}
	f.requireHeld(t, stays)
}

// findsOthersBesideKept: a file that may not go keeps its own collection, whose chunks name it
// as those in shared ones do. They do not hide the chunks of more files than a question takes.
func findsOthersBesideKept(t *testing.T, f Fixture) {
	store, asks := f.Store.(vectors.Guarded)
	if !asks {
		return // as asksTheGuard says
	}
	kept := uuid.NewString()
	stays := []Chunk{newChunk(vectors.FileCollection(kept), kept, "")}
	ids, all := []string{kept}, slices.Clone(stays)
	for range 250 {
		id := uuid.NewString()
		ids, all = append(ids, id), append(all, newChunk(Base, id, ""))
	}
	f.Insert(t, all...)
	removed, err := store.RemoveGuarded(t.Context(), ids, func(_ context.Context, ids []string) ([]string, error) {
		return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == kept }), nil
	})
	require.NoError(t, err)
	if len(removed.Waiting) > 0 {
		f.Apply(t)
	}
	f.requireHeld(t, stays)
}
