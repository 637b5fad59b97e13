package reap_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/testenv"
)

// guardingBlobs removes in sets, and asks before each; it has something happen before the
// first.
type guardingBlobs struct {
	repo.Blobs
	came func()
	sets int
}

func (b *guardingBlobs) RemoveGuarded(ctx context.Context, names []string, guard repo.BlobGuard) (map[string]error, error) {
	there := map[string]repo.Blob{}
	for _, name := range names {
		blob, is, err := b.Stat(ctx, name)
		if err != nil {
			return nil, err
		}
		if is {
			there[name] = blob
		}
	}
	if b.sets++; b.sets == 1 && b.came != nil {
		b.came()
	}
	may, err := guard(ctx, names, there)
	if err != nil {
		return nil, err
	}
	failed := map[string]error{}
	for _, name := range may {
		one, err := b.Remove(ctx, []string{name})
		if maps.Copy(failed, one); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// A check and its act belong together: rows that come back before a set is removed keep
// their bytes, and so does what was written since; the others go together.
func TestCheckAndActOfBytesInSets(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := entombAll(t, i, repo.Bytes, 40)
	i.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, ids[39])
	i.Exec(t, `UPDATE pruned.tombstone SET made_at = made_at - interval '1 hour' WHERE file_id = $1`, ids[39])
	x := i.NewReaper(t)
	var removed reap.Removed
	x.Observe = func(r reap.Removed) { removed = r }
	store := &guardingBlobs{Blobs: x.Blobs, came: func() { restore(t, i, ids[:10]) }}
	x.Blobs = store
	require.NoError(t, x.Drain(t.Context()))
	for _, id := range ids[:10] {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
	for _, id := range ids[10:39] {
		require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, id))
	}
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, ids[39]))
	require.Contains(t, fixture.LedgerOf(t, i, ids[39])[0].Note, "written since")
	require.Zero(t, i.CountTombstones(t))
	require.Equal(t, 1, store.sets)
	require.EqualValues(t, 29, removed.Objects)
}

// Two files may share bytes: they stay for as long as one of the two lives, or may.
func TestCheckAndActOfBytesThatTwoAskFor(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := entombAll(t, i, repo.Bytes, 2)
	shared := testenv.StoredName(ids[0], "document.pdf")
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: ids[1], Name: shared})
	x := i.NewReaper(t)
	x.Blobs = &guardingBlobs{Blobs: x.Blobs, came: func() { restore(t, i, ids[:1]) }}
	require.NoError(t, x.Drain(t.Context()))
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Whole, i.LeftOf(t, ids[0]))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, ids[1]))
	require.Zero(t, i.CountTombstones(t), "the second is dropped by the next look")
}

// One that fails is tried again, and keeps no other.
func TestSetsOfWhichOneFails(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := entombAll(t, i, repo.Bytes, 3)
	x := i.NewReaper(t)
	x.Blobs = &guardingBlobs{Blobs: failing{x.Blobs, ids[1]}}
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, 1, i.CountTombstones(t))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, ids[1]))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, ids[2]))
	require.Equal(t, errStuck.Error(), testenv.Value[string](t, i.Database, `SELECT error FROM pruned.tombstone`))
}

// A tombstone grows older while the set that it was fetched with takes its time: what was
// written ten seconds after it is younger for as long as that takes.
func TestWrittenSinceInALongSet(t *testing.T) {
	t.Parallel()
	fetched := repo.Tombstone{Age: time.Hour, Fetched: time.Now().Add(-10 * time.Minute)}
	require.True(t, reap.IsWrittenSince(fetched, repo.Blob{Age: time.Hour + 10*time.Minute - 10*time.Second}))
	require.False(t, reap.IsWrittenSince(fetched, repo.Blob{Age: time.Hour + 10*time.Minute + 10*time.Second}))
}
