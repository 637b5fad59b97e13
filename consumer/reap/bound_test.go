package reap_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/testenv"
)

// Bytes likewise.
func TestBucketThatNobodyBoundIsNotTouched(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	id := testenv.NewID()
	testenv.WriteBytes(t, i.Uploads, id, "document.pdf")
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: testenv.StoredName(id, "document.pdf")})
	x := i.NewReaper(t)
	x.Blobs = fixture.DescribedBlobs{Blobs: i.Blobs, As: repo.StoreInfo{Name: "s3://bucket"}}
	due, err := x.Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, id))
	i.Exec(t, `INSERT INTO pruned.binding (store, identity) VALUES ('s3://bucket', 'of another')`)
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, id))
	i.Exec(t, `INSERT INTO pruned.binding (store, identity) SELECT 's3://bucket', identity FROM pruned.tombstone`)
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
}

// Bytes that wait for a folder that is another's are told as well.
func TestOwnershipTellsWhatWaits(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	id := testenv.NewID()
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: testenv.StoredName(id, "document.pdf")})
	x := i.NewReaper(t)
	waiting, err := x.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, reap.Waiting{}, waiting)
	x.Blobs = i.Blobs
	require.NoError(t, x.Blobs.Info().Mark().Set("the/original"))
	waiting, err = x.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, waiting.Files)
	require.Contains(t, waiting.For, "uploads")
}
