package prune_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

func TestTransactionDeletesEverythingOfAFile(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file, other := i.AddFile(t), i.AddFile(t)
	i.RefreshIndex(t)
	require.Equal(t, event.Result{Outcome: event.Deleted}, fixture.RunTransaction(t, i.NewTransaction(), file)[file])
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, file), "bytes are not touched before the commit")
	require.Equal(t, event.Gone, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome, "its bytes are dealt with")
	i.DrainTombstones(t)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
	require.Equal(t, fixture.Whole, i.LeftOf(t, other))
	entry := fixture.LedgerOf(t, i, file)[0]
	require.Equal(t, "deleted", entry.Outcome)
	require.Equal(t, "test", entry.Source)
	require.Equal(t, "a test", entry.Reason)
	require.NotEmpty(t, entry.EventID)
	require.Equal(t, filepath.Join(i.Uploads, testenv.StoredName(file, "document.pdf")), entry.Path)

	require.Equal(t, event.Gone, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome, "the second time")
	require.Len(t, fixture.LedgerOf(t, i, file), 1)
}

// Who carries out tombstones is told of those that a commit left, and of nothing else.
func TestTombstonesAreExpectedAfterTheCommit(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file, used, held := i.AddFile(t), i.AddFile(t), i.AddFile(t)
	testenv.InsertNote(t, i.Pool, used)
	i.RefreshIndex(t)
	expected := map[string]time.Duration{}
	x := i.NewTransaction()
	x.BytesDelay = time.Minute
	x.Expect = func(kind string, in time.Duration) {
		require.False(t, i.LeftOf(t, file).Row, "it has committed")
		expected[kind] = in
	}
	x.DryRun = true
	fixture.RunTransaction(t, x, file, used)
	x.DryRun = false
	fixture.RunTransaction(t, x, used)
	i.Exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	i.Exec(t, `CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id = '`+held+`') EXECUTE FUNCTION refuse()`)
	_, err := x.Run(t.Context(), fixture.Deliveries(1, held))
	require.Error(t, err)
	require.Empty(t, expected)
	fixture.RunTransaction(t, x, file)
	require.Equal(t, map[string]time.Duration{repo.Bytes: time.Minute}, expected)
}

// Without a row a mention does not count, and what else bears the id goes.
func TestGoneIDsAreCleaned(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	id, unknown := testenv.NewID(), testenv.NewID()
	i.AddFile(t)
	i.AddChunks(t, id)
	testenv.WriteBytes(t, i.Uploads, id, "document.pdf")
	testenv.InsertNote(t, i.Pool, id)
	i.RefreshIndex(t)
	results := fixture.RunTransaction(t, i.NewTransaction(), id, unknown, "no-uuid", "böse/id")
	for _, id := range []string{id, unknown, "no-uuid", "böse/id"} {
		require.Equal(t, event.Gone, results[id].Outcome)
	}
	i.DrainTombstones(t)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	require.Len(t, fixture.LedgerOf(t, i, id), 1)
}

func TestYoungBytesWithoutARowStay(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	id := testenv.NewID()
	i.AddFile(t)
	i.AddChunks(t, id)
	testenv.WriteBytes(t, i.Uploads, id, "document.pdf")
	i.RefreshIndex(t)
	x := i.NewTransaction()
	x.Ages.Min = time.Hour
	result := fixture.RunTransaction(t, x, id)[id]
	require.Equal(t, event.Young, result.Outcome)
	require.InDelta(t, time.Hour, result.RetryIn, float64(time.Minute))
	i.DrainTombstones(t)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, id))
}

// A dry run takes the same path, and says the same.
func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file, used, id := i.AddFile(t), i.AddFile(t), testenv.NewID()
	i.AddChunks(t, id)
	testenv.InsertNote(t, i.Pool, used)
	i.RefreshIndex(t)
	dry := i.NewTransaction()
	dry.DryRun = true
	before := fixture.RunTransaction(t, dry, file, used, id)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, id))
	require.Zero(t, i.CountRecords(t, file))
	require.Equal(t, before, fixture.RunTransaction(t, i.NewTransaction(), file, used, id))
}

// A file whose row appeared after the last pass is known after the next; one
// with an old date waits until every table was read once more.
func TestFilesThatTheIndexDoesNotKnow(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	used, old := testenv.NewID(), testenv.NewID()
	testenv.InsertNote(t, i.Pool, used)
	i.RefreshIndex(t)
	for _, id := range []string{used, old} {
		i.AddRow(t, id)
		i.AddChunks(t, id)
	}
	results := fixture.RunTransaction(t, i.NewTransaction(), used, old)
	require.Contains(t, []event.Outcome{event.Young, event.Kept}, results[used].Outcome, "a row read long ago mentions it, which the index may not have noticed")
	require.Equal(t, event.Deleted, results[old].Outcome, "no row that was read mentions it, whatever its date")
	require.Equal(t, fixture.Whole, i.LeftOf(t, used))
	require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate`), "nobody knows whether they are unreferenced")

	i.RefreshIndex(t)
	require.Equal(t, event.Kept, fixture.RunTransaction(t, i.NewTransaction(), used)[used].Outcome)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Whole, i.LeftOf(t, used))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, old))
}

// Paths are the application's, on whatever machine: only the last part counts.
func TestPathsBecomeBaseNames(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	for path, want := range map[string]int{"": 1, "/": 1, "/app/backend/data/uploads/": 1, "s3://bucket/prefix/{id}_document.pdf": 0,
		"/elsewhere/{id}_document.pdf": 0, "{id}_document.pdf": 0} {
		file := testenv.NewID()
		testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
		testenv.InsertFile(t, i.Pool, testenv.File{ID: file, Path: "x"})
		i.Exec(t, `UPDATE file SET path = nullif(replace($2, '{id}', $1), '') WHERE id = $1`, file, path)
		i.RefreshIndex(t)
		require.Equal(t, event.Deleted, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome)
		i.DrainTombstones(t)
		require.Equal(t, fixture.Left{Bytes: want}, i.LeftOf(t, file), path)
	}
}

// Bytes that cannot be listed keep those ids, and blame no event.
func TestUnreadableUploadsAreTheEnvironment(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.AddFile(t)
	i.RefreshIndex(t)
	x := i.NewTransaction()
	x.Blobs = unreadable{x.Blobs}
	_, err := x.Run(t.Context(), fixture.Deliveries(1, testenv.NewID()))
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.ErrorIs(t, err, errUnreadable)
}

var errUnreadable = errors.New("unreadable")

type unreadable struct{ repo.Blobs }

func (unreadable) Find(context.Context, []string) (map[string][]repo.Blob, error) {
	return nil, errUnreadable
}
