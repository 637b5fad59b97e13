package prune_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

// The same rules by the rows that the application writes.
func TestAgesOfRealRows(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	now := time.Now()
	old := now.Add(-720 * time.Hour)
	x := i.NewTransaction()
	x.Ages = repo.Ages{Min: 24 * time.Hour, Pending: 168 * time.Hour}
	for name, c := range map[string]struct {
		file testenv.File
		want event.Outcome
	}{
		"old":                         {testenv.File{CreatedAt: old}, event.Deleted},
		"young":                       {testenv.File{CreatedAt: now.Add(-time.Hour)}, event.Young},
		"from the future":             {testenv.File{CreatedAt: now.Add(8760 * time.Hour)}, event.Young},
		"failed":                      {testenv.File{CreatedAt: old, Status: "failed"}, event.Deleted},
		"without status":              {testenv.File{CreatedAt: old, Status: "none"}, event.Deleted},
		"pending":                     {testenv.File{CreatedAt: now.Add(-48 * time.Hour), Status: "pending"}, event.Young},
		"processing again":            {testenv.File{CreatedAt: old, UpdatedAt: now.Add(-time.Hour), Status: "processing"}, event.Young},
		"pending for ever":            {testenv.File{CreatedAt: old, Status: "pending"}, event.Deleted},
		"an id that no search finds":  {testenv.File{ID: `böse "id"/1`, CreatedAt: old}, event.Kept},
		"touched lately, not pending": {testenv.File{CreatedAt: old, UpdatedAt: now.Add(-time.Hour)}, event.Deleted},
	} {
		id := testenv.InsertFile(t, i.Pool, c.file).ID
		i.RefreshIndex(t)
		result := fixture.RunTransaction(t, x, id)[id]
		require.Equal(t, c.want, result.Outcome, "%s: %s", name, result.Detail)
	}
}

// An event starts the clock of a file that nothing uses; a use stops it.
func TestClocks(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	x := i.NewTransaction()
	x.Ages.Orphan = time.Hour
	since := func() int {
		return testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate WHERE file_id = $1`, file)
	}
	dry := *x
	dry.DryRun = true
	require.Equal(t, event.Young, fixture.RunTransaction(t, &dry, file)[file].Outcome)
	require.Zero(t, since(), "a dry run starts no clock")

	require.Equal(t, event.Young, fixture.RunTransaction(t, x, file)[file].Outcome)
	require.Equal(t, 1, since())
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '59 minutes'`)
	require.Equal(t, event.Young, fixture.RunTransaction(t, x, file)[file].Outcome)

	note := testenv.InsertNote(t, i.Pool, file)
	require.Equal(t, event.Kept, fixture.RunTransaction(t, x, file)[file].Outcome)
	require.Zero(t, since())
	i.Exec(t, `DELETE FROM note WHERE id = $1`, note)
	require.Equal(t, event.Young, fixture.RunTransaction(t, x, file)[file].Outcome)

	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	require.Equal(t, event.Deleted, fixture.RunTransaction(t, x, file)[file].Outcome)
	require.Zero(t, since())
}

// The mentions of files that stay are read as well where others go: no clock starts, or goes
// on, for one that somebody mentions.
func TestClocksBesideFilesThatGo(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	x := i.NewTransaction()
	x.Ages.Orphan = time.Hour
	for _, known := range []bool{false, true} {
		due, mentioned := i.AddFile(t), i.AddFile(t)
		i.RefreshIndex(t)
		require.Equal(t, event.Young, fixture.RunTransaction(t, x, due)[due].Outcome)
		i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '2 hours'`)
		if known {
			require.Equal(t, event.Young, fixture.RunTransaction(t, x, mentioned)[mentioned].Outcome)
		}
		testenv.InsertNote(t, i.Pool, mentioned)
		results := fixture.RunTransaction(t, x, due, mentioned)
		require.Equal(t, event.Deleted, results[due].Outcome)
		require.Equal(t, event.Kept, results[mentioned].Outcome)
		require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate`))
	}
}
