package s3_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

const (
	id    = buckettest.ID
	other = buckettest.Other
)

// world is a bucket of its own, with a client of its server.
type world struct {
	*buckettest.World
	client *minio.Client
	bucket string
}

func open(t *testing.T, o buckettest.Options) *world {
	t.Helper()
	client, err := testenv.SharedBytes(t, "s3").(*testenv.S3).Client()
	require.NoError(t, err)
	w := buckettest.NewWorld(t, "s3", o)
	return &world{w, client, strings.Trim(strings.TrimPrefix(w.Bucket.Root(), "s3:"), "/")}
}

// No row names what cannot be text, and MinIO takes no name that is a path for some.
var server = buckettest.Server{
	Provider: "s3", Prefix: "team", Takes: utf8.ValidString, Pages: 1100, Many: 3000, Together: true,
	WrongKeys: map[string]string{"S3_SECRET_ACCESS_KEY": "wrong", "S3_ACCESS_KEY_ID": "nobody"},
	IsPage:    func(url string) bool { return strings.Contains(url, "list-type=2") },
}

// The suites, below a prefix and in the whole bucket.
func TestBlobs(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, server)
}

func TestListingIsFlat(t *testing.T) { // alone: it measures the heap
	buckettest.RequireFlatListing(t, server)
}

// A key that may only read is told which right it lacks, of one object and of many, and
// refuses nothing but what it was asked for.
func TestKeyThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	if testenv.IsMinIO() {
		testenv.LeaveOut(t, "MinIO has one user here; SeaweedFS runs it in make test")
	}
	w := open(t, buckettest.Options{Change: func(set map[string]string) { set["S3_ACCESS_KEY_ID"] = testenv.S3ReadOnlyKey }})
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("%s_%d", id, i))
		w.PutCopy(t, names[i], names[i])
	}
	err := w.Check(t.Context())
	buckettest.RequireAway(t, err, "check")
	require.ErrorContains(t, err, "s3:DeleteObject")
	for _, some := range [][]string{names[:1], names} {
		failed, err := w.Remove(t.Context(), some)
		require.NoError(t, err)
		require.Len(t, failed, len(some))
		for _, err := range failed {
			require.ErrorIs(t, err, bucket.ErrRefused)
			require.ErrorContains(t, err, "s3:DeleteObject")
		}
	}
	slices.Sort(names)
	require.Equal(t, names, w.Keys(t))
	require.Equal(t, names, w.CopyNames(t))
}
