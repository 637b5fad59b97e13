package sweep

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/vectors"
)

// A restore makes table file anew before it fills it: nothing of a file that is about
// to come back may go. A drain ends all the same, and so does what is left where the
// table stays empty, once a person has said so.
func TestEmptyTableLetsNothingGo(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	back, lost := i.AddFile(t), i.AddRemains(t, true, true)
	i.RefreshIndex(t)
	i.Exec(t, `CREATE TABLE kept AS SELECT * FROM file; DELETE FROM file`)
	fixture.Publish(t, q, fixture.EventsAbout(back, lost))
	sum := fixture.Drain(t, q, i.NewHandler(t, i.NewTransaction()), consumer.Options{Due: i.NewReaper(t).Due})
	require.Equal(t, 2, sum.Young)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, back))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, lost))

	i.Exec(t, `INSERT INTO file SELECT * FROM kept`)
	require.Equal(t, fixture.Whole, i.LeftOf(t, back))
	require.Equal(t, event.Gone, fixture.RunTransaction(t, i.NewTransaction(), lost)[lost].Outcome)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, lost))

	i.Exec(t, `DELETE FROM file`)
	s := sweeper(t, i, q)
	report := sweepOnce(t, s)
	require.Len(t, report.Holds, 2, "vectors and bytes")
	require.Zero(t, i.Consume(t, q).Gone)
	report, _ = sweepWith(t, s, Options{Confirm: report.ID})
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, 1, i.Consume(t, q).Gone)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, back))
}

// What waits for a store that nobody has bound is left, neither lost nor in a
// drain's way, until a person confirms a sweep, which is held for it alone.
func TestStoreThatNobodyBoundIsNotTouched(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	ids := i.AddFiles(t, 2)
	s := sweeper(t, i, q)
	require.EqualValues(t, 2, sweepOnce(t, s).Published)

	x, y := i.NewTransaction(), i.NewReaper(t)
	remote := vectors.Info{Name: "chroma at https://shared"}
	elsewhere := fixture.DescribedVectors{Store: i.Store, As: remote}
	x.Vectors, y.Vectors, s.Vectors = elsewhere, elsewhere, elsewhere
	sum := fixture.Drain(t, q, i.NewHandler(t, x), consumer.Options{Due: y.Due})
	require.Equal(t, 2, sum.Deleted)
	for _, id := range ids {
		require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, id), "row and bytes are this installation's")
	}
	waiting, err := y.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, waiting.Files)
	require.Contains(t, waiting.For, remote.Name)

	// They are all that the sweep finds there, and are lent an id all the same.
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromVectors, remote.Name, 2, 22}}, heldIn(report))
	require.Equal(t, "first sweep of a store that others may use", report.Holds[0].Reason)
	require.NoError(t, y.Drain(t.Context()))
	require.Equal(t, 2, i.CountTombstones(t))

	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.Empty(t, confirmed.Holds)
	require.NoError(t, y.Drain(t.Context()))
	for _, id := range ids {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	require.Zero(t, i.CountTombstones(t))
	waiting, err = y.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, reap.Waiting{}, waiting)
}
