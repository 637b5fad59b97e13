package gcs_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/blobs/gcs"
)

const id = buckettest.ID

// An account that may only read is told which right it lacks; an object that is held is no
// reason to stop.
func TestAccountThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	w := buckettest.NewWorld(t, "gcs", buckettest.Options{})
	w.PutCopy(t, id+"_a", id+"_a")
	store := w.Behind(t, buckettest.Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			rw.WriteHeader(http.StatusForbidden)
			fmt.Fprint(rw, `{"error": {"code": 403, "message": "no access", "errors": [{"reason": "forbidden"}]}}`)
		}
		return r.Method == http.MethodDelete
	}})
	err := store.Check(t.Context())
	buckettest.RequireAway(t, err, "check")
	require.ErrorContains(t, err, "storage.objects.delete")
	failed, err := store.Remove(t.Context(), []string{id + "_a", id + "_missing"})
	require.NoError(t, err)
	require.Len(t, failed, 1)
	require.ErrorIs(t, failed[id+"_a"], bucket.ErrRefused)
	require.ErrorContains(t, failed[id+"_a"], "no access")
	require.Equal(t, []string{id + "_a"}, w.CopyNames(t))
}

func TestDoctorTellsWhatRemovedMeans(t *testing.T) {
	t.Parallel()
	w := buckettest.NewWorld(t, "gcs", buckettest.Options{})
	require.Equal(t, "keeps no generations", w.Describe(t.Context())[0].Detail)
	answer, status := `{"versioning": {"enabled": true}, "softDeletePolicy": {"retentionDurationSeconds": "604800"}, "retentionPolicy": {"retentionPeriod": "3600"},
		"defaultEventBasedHold": true, "lifecycle": {"rule": [{}]}}`, http.StatusOK
	front := buckettest.Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		is := r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/o")
		if is {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(status)
			fmt.Fprint(rw, answer)
		}
		return is
	}}
	found := w.Behind(t, front).Describe(t.Context())
	require.Len(t, found, 5)
	for i, words := range []string{"PRUNED_VERSIONS=delete", "soft delete", "retention policy", "held", "lifecycle"} {
		require.Contains(t, found[i].Detail+found[i].Remedy, words)
	}
	status, answer = http.StatusForbidden, `{"error": {"code": 403, "message": "no access"}}`
	found = w.Behind(t, front).Describe(t.Context())
	require.Contains(t, found[0].Detail, "storage.buckets.get")
}

// A path that names another bucket, or a file of a folder that the application did not name,
// is none of this bucket's.
func TestNamesOfPaths(t *testing.T) {
	t.Parallel()
	store, err := gcs.New(t.Context(), gcs.Options{Bucket: "bucket", Emulator: "http://127.0.0.1:1"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.Equal(t, id+"_a b#.pdf", store.NameOf("gs://bucket/"+id+"_a b#.pdf"))
	require.Equal(t, id+"_a", store.NameOf("/app/backend/data/uploads/"+id+"_a"))
	for _, path := range []string{"gs://bucket2/" + id + "_a", "s3://bucket/" + id + "_a", "/data/report.pdf"} {
		_, _, err := store.Stat(t.Context(), store.NameOf(path))
		require.Error(t, err, path)
	}
}
