package consumer

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
	"pruned/vectors"
)

// What waits for a store that nobody has bound is left, neither lost nor in a
// drain's way, until a person confirms a sweep, which is held for it alone.
func TestStoreThatNobodyBoundIsNotTouched(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 20)
	ids := i.files(t, 2)
	s := i.sweeper(t, q)
	require.EqualValues(t, 2, sweepOnce(t, s).Published)

	x, y := i.transaction(), i.executor(t)
	remote := StoreInfo{Name: "chroma at https://shared"}
	elsewhere := besideStore{i.store}
	x.Vectors, y.Vectors, y.VectorStore, s.Vectors, s.VectorStore = elsewhere, elsewhere, remote, elsewhere, remote
	sum := drain(t, q, i.batch(t, x), Options{Due: y.Due})
	require.Equal(t, 2, sum.Deleted)
	for _, id := range ids {
		require.Equal(t, left{chunks: chunksOfAFile}, i.left(t, id), "row and bytes are this installation's")
	}
	waiting, err := y.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, waiting.Files)
	require.Contains(t, waiting.For, remote.Name)

	// They are all that the sweep finds there, and are lent an id all the same.
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromVectors, remote.Name, 2, 22}}, heldIn(report))
	require.Equal(t, "first sweep of a store that others may use", report.Holds[0].Reason)
	require.NoError(t, y.CarryOut(t.Context()))
	require.Equal(t, 2, i.tombstones(t))

	confirmed, _ := sweepWith(t, s, SweepOptions{Confirm: report.ID})
	require.Empty(t, confirmed.Holds)
	require.NoError(t, y.CarryOut(t.Context()))
	for _, id := range ids {
		require.Equal(t, nothing, i.left(t, id))
	}
	require.Zero(t, i.tombstones(t))
	waiting, err = y.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, Waiting{}, waiting)
}

// besideStore is no part of the database: everything is left to tombstones.
type besideStore struct{ vectors.Store }

func (besideStore) Joins() bool { return false }

func (besideStore) Join(context.Context, vectors.Tx, []string, []string) (int64, bool, error) {
	return 0, true, nil
}

// Bytes likewise.
func TestBucketThatNobodyBoundIsNotTouched(t *testing.T) {
	t.Parallel()
	i := install(t)
	id := repotest.NewID()
	repotest.WriteBytes(t, i.uploads, id, "document.pdf")
	i.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: repotest.StoredName(id, "document.pdf")})
	x := i.executor(t)
	x.BlobStore = StoreInfo{Name: "s3://bucket"}
	due, err := x.Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	require.Equal(t, left{bytes: 1}, i.left(t, id))
	i.Exec(t, `INSERT INTO pruned.binding (store, identity) VALUES ('s3://bucket', 'of another')`)
	require.NoError(t, x.CarryOut(t.Context()))
	require.Equal(t, left{bytes: 1}, i.left(t, id))
	i.Exec(t, `INSERT INTO pruned.binding (store, identity) SELECT 's3://bucket', identity FROM pruned.tombstone`)
	require.NoError(t, x.CarryOut(t.Context()))
	require.Equal(t, nothing, i.left(t, id))
}

// Bytes that wait for a folder that is another's are told as well.
func TestOwnershipTellsWhatWaits(t *testing.T) {
	t.Parallel()
	i := install(t)
	id := repotest.NewID()
	i.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: repotest.StoredName(id, "document.pdf")})
	x := i.executor(t)
	waiting, err := x.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, Waiting{}, waiting)
	x.BlobStore = i.marked()
	require.NoError(t, x.BlobStore.Mark.Set("the/original"))
	waiting, err = x.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, waiting.Files)
	require.Contains(t, waiting.For, "uploads")
}
