package prune_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo/testenv"
)

// Who keeps a file before a batch has locked it is seen; who does so later waits for the
// end of the batch, and is told that the file is gone.
func TestKeepIsSeenOrRefused(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	type answer struct {
		kept bool
		err  error
	}
	for _, step := range steps {
		file, others := i.AddFile(t), i.AddFiles(t, bystanders)
		i.RefreshIndex(t)
		answers := make(chan answer, 1)
		keep := func() {
			kept, err := i.DB.KeepFile(context.Background(), nil, file, 0, "")
			answers <- answer{kept, err}
		}
		do := keep
		if step != steps[0] {
			do = func() {
				go keep()
				awaitKeeper(t, i)
			}
		}
		results := fixture.RunTransaction(t, stepped(i.NewTransaction(), step, do), append(others, file)...)
		got := fixture.Await(t, answers)
		require.NoError(t, got.err)
		if step == steps[0] {
			require.True(t, got.kept)
			keeps(t, i, step, results, file, others)
			require.Contains(t, results[file].Detail, "somebody keeps it")
			continue
		}
		require.False(t, got.kept, "kept before %s", step)
		i.DrainTombstones(t)
		require.Equal(t, event.Deleted, results[file].Outcome)
		require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
	}
}

// A batch does not wait for one who is about to keep a file.
func TestFileThatIsAboutToBeKeptIsBusy(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	keeper := begin(t, i)
	execute(t, keeper, `SELECT id FROM file WHERE id = $1 FOR KEY SHARE`, file)
	require.Equal(t, event.Busy, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome)
	require.NoError(t, keeper.Rollback(context.Background()))
	kept, err := i.DB.KeepFile(t.Context(), nil, file, time.Hour, "")
	require.NoError(t, err)
	require.True(t, kept)
	require.Equal(t, event.Kept, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome)
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
}

// awaitKeeper returns when one who keeps a file waits for its row.
func awaitKeeper(t *testing.T, i *fixture.Installation) {
	t.Helper()
	require.Eventually(t, func() bool {
		return testenv.Value[bool](t, i.Database, `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO pruned.keep%')`)
	}, fixture.Patience, fixture.PollEvery)
}
