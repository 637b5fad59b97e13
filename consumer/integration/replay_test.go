package integration

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
)

// Through the handler of a run, with its promises.
func TestReplayDeletesNothingInUse(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	inUse, orphans := i.AddUsedFiles(t, 3), i.AddFiles(t, 3)
	i.RefreshIndex(t)
	for _, id := range append(inUse, orphans...) {
		fixture.Publish(t, q, fixture.EventsOf(event.New(id, "s", "before")))
	}
	sum, err := consumer.Replay(fixture.Context(t), q, i.NewHandler(t, i.NewTransaction()), consumer.ReplayOptions{All: true, Reason: "again", Log: fixture.Log(t)})
	require.NoError(t, err)
	require.Equal(t, []int{3, 3}, []int{sum.Kept, sum.Deleted})
	i.DrainTombstones(t)
	for _, id := range inUse {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
	for _, id := range orphans {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
		require.Equal(t, "again", fixture.LedgerOf(t, i, id)[0].Reason)
	}
}
