package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// bucketOf puts the uploads of an installation into a bucket, as Open WebUI with that
// provider has them: what lies in the folder are copies.
func (i *installation) bucketOf(t *testing.T, provider string) (*installation, func() []string) {
	t.Helper()
	b, err := testenv.SharedBytes(t, provider).MakeBucket(t.Context(), "b"+strings.ReplaceAll(uuid.NewString(), "-", ""))
	require.NoError(t, err)
	settings, prefix := b.Settings(), ""
	if provider == "s3" {
		settings, prefix = append(settings, "S3_KEY_PREFIX=team"), "team/"
	}
	for _, file := range i.copies(t) {
		content, err := os.ReadFile(filepath.Join(i.uploads(), file))
		require.NoError(t, err)
		require.NoError(t, b.Put(t.Context(), prefix+file, content))
	}
	i.Exec(t, `UPDATE file SET path = $1 || split_part(path, '/', -1)`, b.Root()+prefix)
	return i.with(settings...), func() (names []string) {
		keys, err := b.Keys(t.Context())
		require.NoError(t, err)
		for _, key := range keys {
			names = append(names, strings.TrimPrefix(key, prefix))
		}
		return names
	}
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
	for provider, told := range map[string]string{
		"s3": "keeps no versions: what is removed is gone", "gcs": "keeps no generations", "azure": "a blob that has snapshots stays",
	} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			testBytesInABucket(t, provider, told)
		})
	}
}

func testBytesInABucket(t *testing.T, provider, told string) {
	i := install(t)
	seeded := i.seed(t, 40, 6)
	stray := uuid.NewString() + "_stray.txt"
	require.NoError(t, os.WriteFile(filepath.Join(i.uploads(), stray), []byte("no row"), 0o600))
	b, keys := i.bucketOf(t, provider)
	left := uuid.NewString() + "_left.txt" // an upload that failed: a copy alone
	require.NoError(t, os.WriteFile(filepath.Join(i.uploads(), left), []byte("a copy"), 0o600))
	before := keys()

	usage := b.must(t, "usage", "--by", "kind")
	require.Contains(t, usage, "bytes")
	require.NotContains(t, usage, "missing bytes")
	require.Contains(t, b.must(t, "doctor"), told)

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
