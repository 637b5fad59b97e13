package reap_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// slowStore is elsewhere, and carries out some removals only when it gets round
// to it.
type slowStore struct {
	vectors.Store
	t       *testing.T
	i       *fixture.Installation
	waiting []string
	asked   []string
}

func (s *slowStore) Remove(_ context.Context, tx vectors.Tx, ids []string) (removed vectors.Removed, err error) {
	require.Nil(s.t, tx, "it is no part of a transaction")
	// The sets of bytes, which go beside this one, hold theirs for a moment.
	require.Eventually(s.t, func() bool {
		return testenv.Value[int](s.t, s.i.Database, `SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
			WHERE c.relname = 'tombstone' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			  AND l.pid <> pg_backend_pid() AND l.pid IN (SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend')`) == 0
	}, fixture.Patience, fixture.PollEvery, "and nobody waits for it")
	s.asked = append(s.asked, ids...)
	for _, id := range ids {
		if slices.Contains(s.waiting, id) {
			removed.Waiting = append(removed.Waiting, id)
		}
	}
	return removed, nil
}

// What waits for its store stays, is looked at again every few minutes, holds up
// neither the rest nor a drain, and is counted.
func TestWaitingVectorsStay(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	one, two, three := testenv.NewID(), testenv.NewID(), testenv.NewID()
	x := i.NewReaper(t)
	store := &slowStore{Store: x.Vectors, t: t, i: i, waiting: []string{two}}
	x.Vectors = store
	for _, file := range []string{one, two, three} {
		i.AddTombstones(t, repo.Tombstone{Kind: repo.Vectors, FileID: file})
	}
	for attempt, minutes := range []float64{1, 2, 4, 8, 10, 10} {
		due, err := x.Due(t.Context())
		require.NoError(t, err)
		require.False(t, due)
		require.Equal(t, two, testenv.Value[string](t, i.Database, `SELECT file_id FROM pruned.tombstone`))
		require.Equal(t, attempt+1, testenv.Value[int](t, i.Database, `SELECT attempts FROM pruned.tombstone`))
		require.Contains(t, testenv.Value[string](t, i.Database, `SELECT error FROM pruned.tombstone`), "still")
		require.InDelta(t, minutes, testenv.Value[float64](t, i.Database,
			`SELECT extract(epoch FROM due_at - clock_timestamp())::float8 / 60 FROM pruned.tombstone`), 0.5)
		waiting, err := i.NewReaper(t).Waiting(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, waiting.Files)
		require.Contains(t, waiting.For, "still")
		i.Exec(t, `UPDATE pruned.tombstone SET due_at = clock_timestamp()`)
	}
	require.Len(t, store.asked, 3+5)
	store.waiting = nil
	require.NoError(t, x.Drain(t.Context()))
	require.Zero(t, i.CountTombstones(t))
	waiting, err := x.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, reap.Waiting{}, waiting)
}

// Many that wait are postponed in pieces, and all of them.
func TestManyWait(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	x := i.NewReaper(t)
	store := &slowStore{Store: x.Vectors, t: t, i: i}
	x.Vectors = store
	var tombstones []repo.Tombstone
	for range 2*500 + 1 {
		file := testenv.NewID()
		tombstones = append(tombstones, repo.Tombstone{Kind: repo.Vectors, FileID: file})
		store.waiting = append(store.waiting, file)
	}
	i.AddTombstones(t, tombstones...)
	due, err := x.Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	waiting, err := x.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(tombstones), waiting.Files)
}

// stoppingBlobs is told to stop after the first.
type stoppingBlobs struct {
	repo.Blobs
	stop context.CancelFunc
}

func (b stoppingBlobs) Remove(ctx context.Context, names []string) (map[string]error, error) {
	defer b.stop()
	return b.Blobs.Remove(ctx, names)
}

// What was removed before the end is not looked for again.
func TestStoppedExecutorKeepsWhatItDid(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	for range 3 {
		file := testenv.NewID()
		testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
		i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: testenv.StoredName(file, "document.pdf")})
	}
	x := i.NewReaper(t)
	ctx, cancel := context.WithCancel(t.Context())
	x.Blobs = stoppingBlobs{x.Blobs, cancel}
	require.ErrorIs(t, x.Drain(ctx), context.Canceled)
	require.Equal(t, 2, i.CountTombstones(t))
	x.Blobs = i.ApprovedBlobs()
	require.NoError(t, x.Drain(t.Context()))
	require.Zero(t, i.CountTombstones(t))
}
