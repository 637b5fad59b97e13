package azure_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"
	"github.com/stretchr/testify/require"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

const (
	id    = buckettest.ID
	other = buckettest.Other
)

// A blob with snapshots stays, and is told, unless the setting says that they go with it;
// those of others never do. So alone and with others.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	for _, versions := range []bool{false, true} {
		for _, several := range []bool{false, true} {
			w := buckettest.NewWorld(t, "azure", buckettest.Options{Versions: versions})
			container := testenv.AzureContainer(w.Bucket)
			names := []string{id + "_a"}
			if several {
				names = append(names, id+"_b", id+"_c")
			}
			for _, name := range append(names, other+"_b") {
				w.PutCopy(t, name, name)
			}
			for _, name := range []string{id + "_a", other + "_b"} {
				_, err := container.NewBlobClient(name).CreateSnapshot(t.Context(), nil)
				require.NoError(t, err)
			}
			failed, err := w.Remove(t.Context(), names)
			require.NoError(t, err)
			if versions {
				require.Empty(t, failed)
				require.Equal(t, []string{other + "_b"}, w.Keys(t))
				require.Equal(t, []string{other + "_b"}, w.CopyNames(t))
				continue
			}
			require.Len(t, failed, 1)
			require.ErrorIs(t, failed[id+"_a"], bucket.ErrRefused)
			require.ErrorContains(t, failed[id+"_a"], "PRUNED_VERSIONS=delete")
			require.Equal(t, []string{id + "_a", other + "_b"}, w.Keys(t))
		}
	}
}

// What somebody has a lease of stays, and is told; the others go.
func TestLeasedBlobs(t *testing.T) {
	t.Parallel()
	w := buckettest.NewWorld(t, "azure", buckettest.Options{})
	names := []string{id + "_a", id + "_b", id + "_c"}
	for _, name := range names {
		w.PutCopy(t, name, name)
	}
	held, err := lease.NewBlobClient(testenv.AzureContainer(w.Bucket).NewBlobClient(id+"_b"), nil)
	require.NoError(t, err)
	_, err = held.AcquireLease(t.Context(), -1, nil)
	require.NoError(t, err)
	for range 2 {
		failed, err := w.Remove(t.Context(), names)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		require.ErrorContains(t, failed[id+"_b"], "somebody has a lease of it")
		require.Equal(t, []string{id + "_b"}, w.Keys(t))
		require.Equal(t, []string{id + "_b"}, w.CopyNames(t))
	}
	_, err = held.ReleaseLease(t.Context(), nil)
	require.NoError(t, err)
	w.RemoveAll(t, names...)
	require.Empty(t, w.Keys(t))
}

// An account that may only read is told which right it lacks.
func TestAccountThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	w := buckettest.NewWorld(t, "azure", buckettest.Options{})
	w.PutCopy(t, id+"_a", id+"_a")
	store := w.Behind(t, buckettest.Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			rw.Header().Set("x-ms-error-code", "AuthorizationPermissionMismatch")
			rw.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodDelete
	}})
	err := store.Check(t.Context())
	buckettest.RequireAway(t, err, "check")
	require.ErrorContains(t, err, "blobs/delete")
	failed, err := store.Remove(t.Context(), []string{id + "_a"})
	require.NoError(t, err)
	require.ErrorIs(t, failed[id+"_a"], bucket.ErrRefused)
	require.Equal(t, []string{id + "_a"}, w.CopyNames(t))
}

// A server that takes no batch gets each blob alone.
func TestBatchesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	w := buckettest.NewWorld(t, "azure", buckettest.Options{})
	var names []string
	for i := range 5 {
		names = append(names, fmt.Sprintf("%s_%d", id, i))
		w.Put(t, names[i], "bytes")
	}
	store := w.Behind(t, buckettest.Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			rw.WriteHeader(http.StatusBadRequest)
		}
		return r.Method == http.MethodPost
	}})
	failed, err := store.Remove(t.Context(), names)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Empty(t, w.Keys(t))
}

func TestDoctorTellsWhatRemovedMeans(t *testing.T) {
	t.Parallel()
	w := buckettest.NewWorld(t, "azure", buckettest.Options{})
	require.Contains(t, w.Describe(t.Context())[0].Detail, "a blob that has snapshots stays")
	store := w.Behind(t, buckettest.Front{Answer: func(rw http.ResponseWriter, r *http.Request) bool {
		is := r.URL.Query().Get("comp") == "properties"
		if is {
			rw.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(rw, `<?xml version="1.0"?><StorageServiceProperties><DeleteRetentionPolicy><Enabled>true</Enabled><Days>7</Days></DeleteRetentionPolicy></StorageServiceProperties>`)
		}
		return is
	}})
	found := store.Describe(t.Context())
	require.Len(t, found, 2)
	require.True(t, found[1].Warn)
	require.Contains(t, found[1].Detail, "7 days")
}
