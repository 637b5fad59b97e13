package prune_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/prune"
	"pruned/repo"
)

// openTx counts the transactions that are open.
type openTx struct {
	prune.Database
	open int
}

func (d *openTx) InTx(ctx context.Context, t repo.Tx, fn func(repo.Tx) error) error {
	d.open++
	defer func() { d.open-- }()
	return d.Database.InTx(ctx, t, fn)
}

// watchedBlobs notes what is looked for.
type watchedBlobs struct {
	repo.Blobs
	find func(ids []string)
}

func (b watchedBlobs) Find(ctx context.Context, ids []string) (map[string][]repo.Blob, error) {
	b.find(ids)
	return b.Blobs.Find(ctx, ids)
}

// A look for the bytes of files without a row may read a whole folder: a batch does it once, in
// however many transactions it ends, for those files alone, and while none is open.
func TestBytesAreLookedForOnceAndOutsideOfTransactions(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files, left := i.AddFiles(t, 3), []string{i.AddRemains(t, false, true), i.AddRemains(t, true, true), i.AddRemains(t, false, true)}
	i.RefreshIndex(t)
	var asked [][]string
	x := i.NewTransaction()
	x.Ages = repo.Ages{}
	db := &openTx{Database: failingOn{x.DB, files[0]}}
	x.DB = db
	x.Blobs = watchedBlobs{x.Blobs, func(ids []string) {
		require.Zero(t, db.open, "a transaction is open")
		asked = append(asked, ids)
	}}
	results, err := fixture.HandleBatch(t, i.NewHandler(t, x), 3, files[0], left[0], files[1], left[1], files[2], left[2])
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{event.Poison, event.Gone, event.Deleted, event.Gone, event.Deleted, event.Gone}, outcomes(results))
	require.Len(t, asked, 1)
	require.ElementsMatch(t, left, asked[0])
	i.DrainTombstones(t)
	for _, id := range left {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	require.Equal(t, fixture.Whole, i.LeftOf(t, files[0]))
}

// failingOn cannot lock one file, so that a batch is halved.
type failingOn struct {
	prune.Database
	file string
}

func (d failingOn) Lock(ctx context.Context, tx repo.Tx, ids []string, ages repo.Ages) (repo.Locked, error) {
	if err := bad(d.file, repo.Permanent)(ctx, ids); err != nil {
		return repo.Locked{}, err
	}
	return d.Database.Lock(ctx, tx, ids, ages)
}

// agedBlobs have an age that somebody gives.
type agedBlobs struct {
	repo.Blobs
	age time.Duration
}

func (b agedBlobs) Find(ctx context.Context, ids []string) (map[string][]repo.Blob, error) {
	found, err := b.Blobs.Find(ctx, ids)
	for _, blobs := range found {
		for n := range blobs {
			blobs[n].Age = b.age
		}
	}
	return found, err
}

// writtenTombstones notes what is written.
type writtenTombstones struct {
	prune.Database
	list *[]repo.Tombstone
}

func (d writtenTombstones) AddTombstones(ctx context.Context, tx repo.Tx, list []repo.Tombstone) error {
	*d.list = append(*d.list, list...)
	return d.Database.AddTombstones(ctx, tx, list)
}

// Bytes grow older between the look and the decision, and a tombstone knows of the look: bytes
// that are written over those that were seen are younger than it, and stay.
func TestBytesAreAsOldAsTheLookSays(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.AddFile(t) // a table without any lets nothing go
	i.RefreshIndex(t)
	id := i.AddRemains(t, false, true)
	var written []repo.Tombstone
	x := i.NewTransaction()
	x.Ages = repo.Ages{Min: time.Hour}
	x.DB = writtenTombstones{x.DB, &written}
	x.Blobs = agedBlobs{x.Blobs, time.Hour - time.Nanosecond}
	tries := observe(x)
	results, err := fixture.HandleBatch(t, i.NewHandler(t, x), 1, id)
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{event.Gone}, outcomes(results))
	require.Len(t, *tries, 1, "that nobody had looked yet is no failure")
	for _, s := range written {
		require.Equal(t, s.Kind == repo.Bytes, s.Age > 0, "%+v", s)
	}
	require.NotEmpty(t, written)
}

// endlessBlobs never finds anything.
type endlessBlobs struct{ repo.Blobs }

func (endlessBlobs) Find(ctx context.Context, _ []string) (map[string][]repo.Blob, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A store that is too slow for a batch is not away: the batch comes again, and smaller.
func TestStoreThatIsTooSlowForABatch(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.AddFile(t)
	i.RefreshIndex(t)
	ids := []string{i.AddRemains(t, false, true), i.AddRemains(t, false, true)}
	x := i.NewTransaction()
	x.Blobs = endlessBlobs{x.Blobs}
	h := prune.NewHandler(x, 1, 3*time.Second, fixture.Log(t))
	h.SetSize(2)
	results, err := fixture.HandleBatch(t, h, 1, ids...)
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{event.Failed, event.Failed}, outcomes(results))
	require.Equal(t, 1, h.Size())
}
