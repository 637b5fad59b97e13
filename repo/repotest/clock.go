package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

func (e Engine) startClocks(t testing.TB, ids ...string) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.SetGrace(ctx, tx, repo.FromRows, ids, nil))
	})
}

// clocksStartOnce: starting again does not set back, stopping forgets.
func clocksStartOnce(t *testing.T, e Engine) {
	ages := repo.Ages{Min: time.Hour}
	undated := e.file(t, row{"created_at": nil, "updated_at": nil})
	ids := append(e.files(t, 2), undated)
	e.startClocks(t, ids[0], undated)
	first := map[string]repo.File{}
	for _, f := range e.lock(t, ages, ids...).Files {
		first[f.ID] = f
		require.Equal(t, f.ID != ids[1], f.HasGrace)
		near(t, 0, f.UnreferencedFor, "orphan")
	}
	// A row without a date is as old as we have known it.
	require.LessOrEqual(t, first[undated].EligibleIn, ages.Min)

	e.startClocks(t, ids...)
	for _, f := range e.lock(t, ages, ids...).Files {
		require.True(t, f.HasGrace)
		require.GreaterOrEqual(t, f.UnreferencedFor, first[f.ID].UnreferencedFor)
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.SetGrace(ctx, tx, repo.FromRows, nil, ids[:1]))
	})
	for _, f := range e.lock(t, ages, ids...).Files {
		require.Equal(t, f.ID != ids[0], f.HasGrace)
	}
}

// mentionStopsClock: a pass that reads a mention forgets since when the file was
// unreferenced.
func mentionStopsClock(t *testing.T, e Engine) {
	ids := e.files(t, 2)
	e.refresh(t)
	e.startClocks(t, ids...)
	e.insert(t, "note", row{"title": ids[0]})
	e.pass(t)
	for _, f := range e.lock(t, repo.Ages{}, ids...).Files {
		require.Equal(t, f.ID == ids[1], f.HasGrace)
	}
}
