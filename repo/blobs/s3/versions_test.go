package s3_test

import (
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/bucket/buckettest"
)

// versions counts what the bucket keeps of a key, and the marks of its removal.
func (w *world) versions(t *testing.T, key string) (kept, marks int) {
	t.Helper()
	for o := range w.client.ListObjectsIter(t.Context(), w.bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}) {
		require.NoError(t, o.Err)
		switch {
		case o.Key != key:
		case o.IsDeleteMarker:
			marks++
		default:
			kept++
		}
	}
	return kept, marks
}

// In a bucket that keeps versions removed means hidden, unless the setting says that they
// go as well; those of others never do.
func TestVersions(t *testing.T) {
	t.Parallel()
	for setting, left := range map[bool]int{false: 2, true: 0} {
		w := open(t, buckettest.Options{Versions: setting})
		require.NoError(t, w.client.EnableVersioning(t.Context(), w.bucket))
		for _, name := range []string{id + "_a", id + "_a", id + "_ab", id + "_ab", other + "_b", other + "_b"} {
			w.Put(t, name, "bytes")
		}
		require.NoError(t, w.Check(t.Context()))
		_, marks := w.versions(t, id+"_a")
		require.Zero(t, marks)
		for range 2 {
			w.RemoveAll(t, id+"_a")
			kept, marks := w.versions(t, id+"_a")
			require.Equal(t, left, kept)
			require.LessOrEqual(t, marks, 1, "what is not there is not removed again")
		}
		require.Empty(t, w.NamesOf(t, "6f1c1f6e-0000-4000-8000-000000000000"))
		require.Equal(t, []string{id + "_ab"}, w.NamesOf(t, id))
		for _, name := range []string{id + "_ab", other + "_b"} {
			kept, marks := w.versions(t, name)
			require.Equal(t, [2]int{2, 0}, [2]int{kept, marks}, name)
		}
	}
}

// What was removed before the versions were to go is removed with them the next time.
func TestVersionsOfWhatIsHidden(t *testing.T) {
	t.Parallel()
	w := open(t, buckettest.Options{})
	require.NoError(t, w.client.EnableVersioning(t.Context(), w.bucket))
	w.Put(t, id+"_a", "bytes")
	w.RemoveAll(t, id+"_a")
	failed, err := w.Reopen(t, buckettest.Options{Versions: true}).Remove(t.Context(), []string{id + "_a"})
	require.NoError(t, err)
	require.Empty(t, failed)
	kept, marks := w.versions(t, id+"_a")
	require.Zero(t, kept+marks)
}

func TestDoctorTellsWhatRemovedMeans(t *testing.T) {
	t.Parallel()
	w := open(t, buckettest.Options{})
	require.Equal(t, []repo.Finding{{Check: "bucket", OK: true, Detail: "keeps no versions: what is removed is gone"}}, w.Describe(t.Context()))
	require.NoError(t, w.client.EnableVersioning(t.Context(), w.bucket))
	found := w.Describe(t.Context())
	require.Len(t, found, 1)
	require.True(t, found[0].Warn)
	require.Contains(t, found[0].Detail, "versioning is Enabled")
	require.False(t, w.Reopen(t, buckettest.Options{Versions: true}).Describe(t.Context())[0].Warn)
	w.Copies = nil
	require.Contains(t, w.Describe(t.Context())[1].Detail, "is not here")
}

// The store keeps what is locked, whoever removes it: that is told, and tried again. (This
// one does not even hide it, as others do.)
func TestLockedVersions(t *testing.T) {
	t.Parallel()
	w := open(t, buckettest.Options{Versions: true})
	w.bucket += "l"
	require.NoError(t, w.client.MakeBucket(t.Context(), w.bucket, minio.MakeBucketOptions{ObjectLocking: true}))
	mode, days, unit := minio.Compliance, uint(1), minio.Days
	require.NoError(t, w.client.SetBucketObjectLockConfig(t.Context(), w.bucket, &mode, &days, &unit))
	store := w.Reopen(t, buckettest.Options{Versions: true, Change: func(set map[string]string) { set["S3_BUCKET_NAME"] = w.bucket }})
	_, err := w.client.PutObject(t.Context(), w.bucket, id+"_a", strings.NewReader("bytes"), 5, minio.PutObjectOptions{DisableMultipart: true, SendContentMd5: true})
	require.NoError(t, err)
	failed, err := store.Remove(t.Context(), []string{id + "_a"})
	require.NoError(t, err)
	require.Error(t, failed[id+"_a"])
	kept, _ := w.versions(t, id+"_a")
	require.Equal(t, 1, kept)
	found := store.Describe(t.Context())
	require.Len(t, found, 2)
	require.Contains(t, found[1].Detail, "locked")
}
