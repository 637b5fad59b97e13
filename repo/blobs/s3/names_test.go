package s3_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/blobs/s3"
)

// Prefixes are joined as the application joins them; what it makes of others the server
// stores as if they were in order.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"team", "team/", "/team", "//team//"} {
		w := open(t, buckettest.Options{Prefix: prefix})
		w.Put(t, "team/"+id+"_a", "bytes")
		require.Equal(t, []string{"team/" + id + "_a"}, w.Listed(t), prefix)
	}
}

func TestNamesOfPaths(t *testing.T) {
	t.Parallel()
	store, err := s3.New(s3.Options{Bucket: "bucket", Prefix: "team", AccessKey: "a", SecretKey: "s"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for path, want := range map[string]string{
		"":                                       "",
		"s3://bucket/team/" + id + "_a":          "team/" + id + "_a",
		"s3://bucket/before/" + id + "_a":        "before/" + id + "_a", // the prefix was changed since
		"s3://bucket/" + id + "_a":               id + "_a",
		"/app/backend/data/uploads/" + id + "_a": "team/" + id + "_a", // the provider was: a copy is called so
	} {
		require.Equal(t, want, store.NameOf(path), path)
	}
	for _, path := range []string{"s3://bucket2/team/" + id + "_a", "s3://bucket//team/" + id + "_a", "s3://bucket/", "s3://bucket/a//b", "gs://bucket/" + id + "_a",
		"/app/backend/data/uploads/report.pdf", "uploads/report.pdf", "report.pdf"} {
		name := store.NameOf(path)
		_, _, err := store.Stat(t.Context(), name)
		require.ErrorIs(t, err, repo.ErrOutside, path)
		failed, err := store.Remove(t.Context(), []string{name})
		require.NoError(t, err)
		require.ErrorIs(t, failed[name], repo.ErrOutside, path)
	}
}
