package prune_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/prune"
	"pruned/repo"
	"pruned/repo/testenv"
)

// try is what one try of a transaction told.
type try struct {
	prune.Report
	err error
}

func observe(x *prune.Transaction) (tries *[]try) {
	tries = &[]try{}
	x.Observe = func(r prune.Report, err error) { *tries = append(*tries, try{r, err}) }
	return tries
}

func stepsOf(r prune.Report) []prune.Step { return slices.Sorted(maps.Keys(r.Timing)) }

// Every try is told, with the steps that it came to and what went, also one that was
// rolled back because of what others did.
func TestEveryTryIsObserved(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 3)
	i.RefreshIndex(t)
	x := stepped(i.NewTransaction(), "last look", func() { testenv.InsertNote(t, i.Pool, files[0]) })
	tries := observe(x)
	require.Equal(t, event.Kept, fixture.RunTransaction(t, x, files...)[files[0]].Outcome)
	require.Len(t, *tries, 2)

	late, done := (*tries)[0], (*tries)[1]
	require.Error(t, late.err)
	require.NotContains(t, late.Timing, prune.Commit)
	require.NoError(t, done.err)
	require.Equal(t, slices.Sorted(slices.Values(prune.AllSteps)), stepsOf(done.Report))
	require.EqualValues(t, 2, done.Rows)
	require.EqualValues(t, 2*fixture.ChunksOfAFile, done.Chunks)
	for _, took := range done.Timing {
		require.Positive(t, took)
		require.LessOrEqual(t, took, done.Took)
	}
}

// A file in a row that goes on being written costs no try: the index names the row, which is
// read at once. One whose mention went with that goes.
func TestMentionInARewrittenRowEndsNoTry(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 3)
	goesOn, forgets := testenv.InsertNote(t, i.Pool, files[0]), testenv.InsertNote(t, i.Pool, files[1])
	i.RefreshIndex(t)
	i.Exec(t, `UPDATE note SET title = title || ' and more' WHERE id = $1`, goesOn)
	i.Exec(t, `UPDATE note SET title = 'nothing', data = NULL WHERE id = $1`, forgets)
	x := i.NewTransaction()
	tries := observe(x)
	results := fixture.RunTransaction(t, x, files...)
	require.Len(t, *tries, 1)
	require.Equal(t, event.Kept, results[files[0]].Outcome)
	require.Equal(t, event.Deleted, results[files[1]].Outcome)
	require.Equal(t, event.Deleted, results[files[2]].Outcome)
}

// A dry run says so, and commits nothing.
func TestDryRunIsObserved(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	x := i.NewTransaction()
	x.DryRun = true
	tries := observe(x)
	require.Equal(t, event.Deleted, fixture.RunTransaction(t, x, file)[file].Outcome)
	require.Len(t, *tries, 1)
	require.ErrorIs(t, (*tries)[0].err, repo.ErrDryRun)
	require.NotContains(t, (*tries)[0].Timing, prune.Commit)
}
