package consumer

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
	"pruned/vectors"
)

func TestTransactionDeletesEverythingOfAFile(t *testing.T) {
	t.Parallel()
	i := install(t)
	file, other := i.file(t), i.file(t)
	i.refresh(t)
	require.Equal(t, Result{Outcome: Deleted}, run(t, i.transaction(), file)[file])
	require.Equal(t, left{bytes: 1}, i.left(t, file), "bytes are not touched before the commit")
	require.Equal(t, Gone, run(t, i.transaction(), file)[file].Outcome, "its bytes are dealt with")
	i.carryOut(t)
	require.Equal(t, nothing, i.left(t, file))
	require.Equal(t, whole, i.left(t, other))
	entry := entries(t, i, file)[0]
	require.Equal(t, "deleted", entry.Outcome)
	require.Equal(t, "test", entry.Source)
	require.Equal(t, "a test", entry.Reason)
	require.NotEmpty(t, entry.EventID)
	require.Equal(t, filepath.Join(i.uploads, repotest.StoredName(file, "document.pdf")), entry.Path)

	require.Equal(t, Gone, run(t, i.transaction(), file)[file].Outcome, "the second time")
	require.Len(t, entries(t, i, file), 1)
}

func entries(t *testing.T, i *installation, file string) (list []repo.Entry) {
	t.Helper()
	for entry, err := range i.db.Ledger(context.Background(), file) {
		require.NoError(t, err)
		list = append(list, entry)
	}
	return list
}

// Without a row a mention does not count, and what else bears the id goes.
func TestGoneIDsAreCleaned(t *testing.T) {
	t.Parallel()
	i := install(t)
	id, unknown := repotest.NewID(), repotest.NewID()
	i.file(t)
	i.chunks(t, id)
	repotest.WriteBytes(t, i.uploads, id, "document.pdf")
	repotest.InsertNote(t, i.Pool, id)
	i.refresh(t)
	results := run(t, i.transaction(), id, unknown, "no-uuid", "böse/id")
	for _, id := range []string{id, unknown, "no-uuid", "böse/id"} {
		require.Equal(t, Gone, results[id].Outcome)
	}
	i.carryOut(t)
	require.Equal(t, nothing, i.left(t, id))
	require.Len(t, entries(t, i, id), 1)
}

// A restore makes table file anew before it fills it: nothing of a file that is about
// to come back may go. A drain ends all the same, and so does what is left where the
// table stays empty, once a person has said so.
func TestEmptyTableLetsNothingGo(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	back, lost := i.file(t), i.remains(t, true, true)
	i.refresh(t)
	i.Exec(t, `CREATE TABLE kept AS SELECT * FROM file; DELETE FROM file`)
	publish(t, q, claimsAbout(back, lost))
	sum := drain(t, q, i.batch(t, i.transaction()), Options{Due: i.executor(t).Due})
	require.Equal(t, 2, sum.Young)
	require.Equal(t, left{chunks: chunksOfAFile, bytes: 1}, i.left(t, back))
	require.Equal(t, left{chunks: chunksOfAFile, bytes: 1}, i.left(t, lost))

	i.Exec(t, `INSERT INTO file SELECT * FROM kept`)
	require.Equal(t, whole, i.left(t, back))
	require.Equal(t, Gone, run(t, i.transaction(), lost)[lost].Outcome)
	i.carryOut(t)
	require.Equal(t, nothing, i.left(t, lost))

	i.Exec(t, `DELETE FROM file`)
	s := i.sweeper(t, q)
	report := sweepOnce(t, s)
	require.Len(t, report.Holds, 2, "vectors and bytes")
	require.Zero(t, i.consume(t, q).Gone)
	report, _ = sweepWith(t, s, SweepOptions{Confirm: report.ID})
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, 1, i.consume(t, q).Gone)
	require.Equal(t, nothing, i.left(t, back))
}

func TestYoungBytesWithoutARowStay(t *testing.T) {
	t.Parallel()
	i := install(t)
	id := repotest.NewID()
	i.file(t)
	i.chunks(t, id)
	repotest.WriteBytes(t, i.uploads, id, "document.pdf")
	i.refresh(t)
	x := i.transaction()
	x.Ages.Min = hour
	result := run(t, x, id)[id]
	require.Equal(t, Young, result.Outcome)
	require.InDelta(t, hour, result.RetryIn, float64(time.Minute))
	i.carryOut(t)
	require.Equal(t, left{chunks: chunksOfAFile, bytes: 1}, i.left(t, id))
}

// A dry run takes the same path, and says the same.
func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	i := install(t)
	file, used, id := i.file(t), i.file(t), repotest.NewID()
	i.chunks(t, id)
	repotest.InsertNote(t, i.Pool, used)
	i.refresh(t)
	dry := i.transaction()
	dry.DryRun = true
	before := run(t, dry, file, used, id)
	i.carryOut(t)
	require.Equal(t, whole, i.left(t, file))
	require.Equal(t, left{chunks: chunksOfAFile}, i.left(t, id))
	require.Zero(t, i.recorded(t, file))
	require.Equal(t, before, run(t, i.transaction(), file, used, id))
}

// A file whose row appeared after the last pass is known after the next; one
// with an old date waits until every table was read once more.
func TestFilesThatTheIndexDoesNotKnow(t *testing.T) {
	t.Parallel()
	i := install(t)
	used, old := repotest.NewID(), repotest.NewID()
	repotest.InsertNote(t, i.Pool, used)
	i.refresh(t)
	for _, id := range []string{used, old} {
		i.row(t, id)
		i.chunks(t, id)
	}
	results := run(t, i.transaction(), used, old)
	require.Contains(t, []Outcome{Young, Kept}, results[used].Outcome, "a row read long ago mentions it, which the index may not have noticed")
	require.Equal(t, Deleted, results[old].Outcome, "no row that was read mentions it, whatever its date")
	require.Equal(t, whole, i.left(t, used))
	require.Zero(t, repotest.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate`), "nobody knows whether they are unreferenced")

	i.refresh(t)
	require.Equal(t, Kept, run(t, i.transaction(), used)[used].Outcome)
	i.carryOut(t)
	require.Equal(t, whole, i.left(t, used))
	require.Equal(t, nothing, i.left(t, old))
}

// Paths are the application's, on whatever machine: only the last part counts.
func TestPathsBecomeBaseNames(t *testing.T) {
	t.Parallel()
	i := install(t)
	for path, want := range map[string]int{"": 1, "/": 1, "/app/backend/data/uploads/": 1, "s3://bucket/prefix/{id}_document.pdf": 0,
		"/elsewhere/{id}_document.pdf": 0, "{id}_document.pdf": 0} {
		file := repotest.NewID()
		repotest.WriteBytes(t, i.uploads, file, "document.pdf")
		repotest.InsertFile(t, i.Pool, repotest.File{ID: file, Path: "x"})
		i.Exec(t, `UPDATE file SET path = nullif(replace($2, '{id}', $1), '') WHERE id = $1`, file, path)
		i.refresh(t)
		require.Equal(t, Deleted, run(t, i.transaction(), file)[file].Outcome)
		i.carryOut(t)
		require.Equal(t, left{bytes: want}, i.left(t, file), path)
	}
}

// Bytes that cannot be listed keep those ids, and blame no event.
func TestUnreadableUploadsAreTheEnvironment(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.file(t)
	i.refresh(t)
	x := i.transaction()
	x.Blobs = unreadable{x.Blobs}
	_, err := x.Run(t.Context(), deliveries(1, repotest.NewID()))
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.ErrorIs(t, err, errUnreadable)
}

var errUnreadable = errors.New("unreadable")

type unreadable struct{ repo.Blobs }

func (unreadable) Find(context.Context, []string) (map[string][]repo.Blob, error) {
	return nil, errUnreadable
}

func TestStoreErrorsBlameNoFile(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	engine := &repo.Error{Kind: repo.Permanent, Err: errUnreadable}
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want repo.Kind
	}{
		{t.Context(), vectors.ErrUnusable, repo.Environment},
		{ended, context.Canceled, repo.Passing},
		{ended, errors.Join(vectors.ErrUnusable, engine), repo.Permanent},
		{t.Context(), engine, repo.Permanent},
	} {
		got := storeError(c.ctx, c.err)
		require.Equal(t, c.want, repo.KindOf(got))
		require.ErrorIs(t, got, c.err)
	}
}
