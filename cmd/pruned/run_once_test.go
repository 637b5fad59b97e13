package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// One run sweeps, deletes and removes what is due, and says what is left for later.
func TestRunOnce(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1", "PRUNED_MIN_AGE=1h", "PRUNED_TRASH=72h")
	orphans := i.seed(t, 20, 4).Orphans
	young := testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: time.Now()}).ID
	dry := ask[onceReport](t, i, "run", "--once", "--dry-run")
	require.EqualValues(t, 5, dry.Sweep.Totals.Orphans)
	require.Zero(t, dry.Summary.Events)
	require.Equal(t, 4, i.left(t, orphans...).rows)

	once := ask[onceReport](t, i, "run", "--once")
	require.EqualValues(t, 4, once.Sweep.Published)
	require.Equal(t, 4, once.Summary.Deleted)
	require.Equal(t, left{bytes: 4}, i.left(t, orphans...))
	require.Equal(t, 1, i.left(t, young).rows)
	require.InDelta(t, 3600, *once.Later.NextIn, 600)
	require.EqualValues(t, 4, once.Later.ToRemove)
	require.InDelta(t, 72*3600, *once.Later.RemovedIn, 600)

	require.Contains(t, i.must(t, "trash", "empty"), "emptied 4")
	out := i.must(t, "run", "--once")
	require.Equal(t, nothing, i.left(t, orphans...))
	require.Regexp(t, `(?m)^later +the next orphan is due in \d+m, at `, out)
	require.NotContains(t, out, "to remove")
	status, _, errs := i.pruned(t, "", "run", "--once", "--drain")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "--drain and --once can't be used together")
}

// What is held is told with what lets it go, and is no failure.
func TestRunOnceHolds(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=0", "PRUNED_MIN_AGE=0")
	before := holdings(t, world)
	out := i.must(t, "run", "--once")
	require.Regexp(t, "(?m)^held +\\d+ +row of database: .*; `pruned sweep --confirm [0-9a-f]{8}` lets it go$", out)
	require.Len(t, holdings(t, world).Rows, len(before.Rows))
	i.sweep(t, exitDone, "--confirm", ask[onceReport](t, i, "run", "--once").Sweep.ID)
	require.Positive(t, ask[onceReport](t, i, "run", "--once").Summary.Deleted)
	require.Less(t, len(holdings(t, world).Rows), len(before.Rows))
}
