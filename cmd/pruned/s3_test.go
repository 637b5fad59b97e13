package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// bucketOf puts the uploads of an installation into a bucket, as Open WebUI with
// STORAGE_PROVIDER=s3 has them: what lies in the folder are copies.
func (i *installation) bucketOf(t *testing.T) (*installation, func() []string) {
	t.Helper()
	name := "b" + strings.ReplaceAll(uuid.NewString(), "-", "")
	server, client := testenv.NewBucket(t, name)
	for _, file := range i.copies(t) {
		_, err := client.FPutObject(t.Context(), name, "team/"+file, filepath.Join(i.uploads(), file), minio.PutObjectOptions{})
		require.NoError(t, err)
	}
	i.Exec(t, `UPDATE file SET path = 's3://`+name+`/team/' || split_part(path, '/', -1)`)
	keys := func() (keys []string) {
		for o := range client.ListObjectsIter(t.Context(), name, minio.ListObjectsOptions{Recursive: true}) {
			require.NoError(t, o.Err)
			keys = append(keys, strings.TrimPrefix(o.Key, "team/"))
		}
		return keys
	}
	return i.with("STORAGE_PROVIDER=s3", "S3_ENDPOINT_URL=http://"+server.Endpoint(), "S3_BUCKET_NAME="+name, "S3_KEY_PREFIX=team",
		"S3_ACCESS_KEY_ID="+testenv.S3AccessKey, "S3_SECRET_ACCESS_KEY="+testenv.S3SecretKey), keys
}

// copies are the names in the upload folder, but for marks.
func (i *installation) copies(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(i.uploads())
	require.NoError(t, err)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names
}

// Rows go with their objects and the copies of these, after somebody has said that the
// bucket is this installation's; what the trash holds stays in the bucket until it ends.
func TestBytesInABucket(t *testing.T) {
	t.Parallel()
	i := install(t)
	seeded := i.seed(t, 40, 6)
	stray := uuid.NewString() + "_stray.txt"
	require.NoError(t, os.WriteFile(filepath.Join(i.uploads(), stray), []byte("no row"), 0o600))
	b, keys := i.bucketOf(t)
	left := uuid.NewString() + "_left.txt" // an upload that failed: a copy alone
	require.NoError(t, os.WriteFile(filepath.Join(i.uploads(), left), []byte("a copy"), 0o600))
	before := keys()

	usage := b.must(t, "usage", "--by", "kind")
	require.Contains(t, usage, "bytes")
	require.NotContains(t, usage, "missing bytes")
	require.Contains(t, b.must(t, "doctor"), "keeps no versions: what is removed is gone")

	trash := b.with("PRUNED_TRASH=1h")
	trash.publish(t, seeded.Orphans[0])
	require.Equal(t, 1, trash.drain(t).Deleted)
	require.ElementsMatch(t, before, keys())
	require.Contains(t, b.must(t, "restore", seeded.Orphans[0]), "restored")

	b.publish(t, seeded.Orphans...)
	summary := b.drain(t)
	require.Equal(t, len(seeded.Orphans), summary.Deleted)
	require.ElementsMatch(t, before, keys(), "nobody has said whose the bucket is")
	require.Contains(t, b.must(t, "status"), "not bound to this installation yet: nothing in it is removed before")

	held := b.sweep(t, exitHeld)
	b.sweep(t, exitDone, "--confirm", held.ID)
	b.drain(t)
	for _, names := range [][]string{keys(), i.copies(t)} {
		require.Len(t, names, 34)
		for _, id := range seeded.Orphans {
			require.False(t, slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, id) }))
		}
		require.NotContains(t, names, stray)
		require.NotContains(t, names, left)
	}
}
