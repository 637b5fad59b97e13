package s3_test

import (
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/s3"
)

// versions counts what the bucket keeps of a key, and the marks of its removal.
func (w *world) versions(t *testing.T, key string) (kept, marks int) {
	t.Helper()
	for o := range w.client.ListObjectsIter(t.Context(), w.options.Bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}) {
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
		w := open(t, func(o *s3.Options) { o.Versions = setting })
		require.NoError(t, w.client.EnableVersioning(t.Context(), w.options.Bucket))
		for _, name := range []string{id + "_a", id + "_a", id + "_ab", id + "_ab", other + "_b", other + "_b"} {
			w.put(t, name, "bytes")
		}
		require.NoError(t, w.Check(t.Context()))
		_, marks := w.versions(t, id+"_a")
		require.Zero(t, marks)
		for range 2 {
			w.remove(t, id+"_a")
			kept, marks := w.versions(t, id+"_a")
			require.Equal(t, left, kept)
			require.LessOrEqual(t, marks, 1, "what is not there is not removed again")
		}
		require.Empty(t, w.namesOf(t, "6f1c1f6e-0000-4000-8000-000000000000"))
		require.Equal(t, []string{id + "_ab"}, w.namesOf(t, id))
		for _, name := range []string{id + "_ab", other + "_b"} {
			kept, marks := w.versions(t, name)
			require.Equal(t, [2]int{2, 0}, [2]int{kept, marks}, name)
		}
	}
}

// What was removed before the versions were to go is removed with them the next time.
func TestVersionsOfWhatIsHidden(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	require.NoError(t, w.client.EnableVersioning(t.Context(), w.options.Bucket))
	w.put(t, id+"_a", "bytes")
	w.remove(t, id+"_a")
	options := w.options
	options.Versions = true
	failed, err := w.reopen(t, options).Remove(t.Context(), []string{id + "_a"})
	require.NoError(t, err)
	require.Empty(t, failed)
	kept, marks := w.versions(t, id+"_a")
	require.Zero(t, kept+marks)
}

func TestDoctorTellsWhatRemovedMeans(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	require.Equal(t, []repo.Finding{{Check: "bucket", OK: true, Detail: "keeps no versions: what is removed is gone"}}, w.Describe(t.Context()))
	require.NoError(t, w.client.EnableVersioning(t.Context(), w.options.Bucket))
	found := w.Describe(t.Context())
	require.Len(t, found, 1)
	require.True(t, found[0].Warn)
	require.Contains(t, found[0].Detail, "versioning is Enabled")
	options := w.options
	options.Versions = true
	require.False(t, w.reopen(t, options).Describe(t.Context())[0].Warn)
	w.Copies = nil
	require.Contains(t, w.Describe(t.Context())[1].Detail, "is not here")
}

// The store keeps what is locked, whoever removes it: that is told, and tried again. (This
// one does not even hide it, as others do.)
func TestLockedVersions(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *s3.Options) { o.Versions = true })
	w.options.Bucket += "l"
	require.NoError(t, w.client.MakeBucket(t.Context(), w.options.Bucket, minio.MakeBucketOptions{ObjectLocking: true}))
	mode, days, unit := minio.Compliance, uint(1), minio.Days
	require.NoError(t, w.client.SetBucketObjectLockConfig(t.Context(), w.options.Bucket, &mode, &days, &unit))
	store := w.reopen(t, w.options)
	w.put(t, id+"_a", "bytes")
	failed, err := store.Remove(t.Context(), []string{id + "_a"})
	require.NoError(t, err)
	require.Error(t, failed[id+"_a"])
	kept, _ := w.versions(t, id+"_a")
	require.Equal(t, 1, kept)
	found := store.Describe(t.Context())
	require.Len(t, found, 2)
	require.Contains(t, found[1].Detail, "locked")
}
