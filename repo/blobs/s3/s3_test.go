package s3_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"pruned/repo/blobs/blobstest"
	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
	"pruned/repo/blobs/s3"
	"pruned/repo/testenv"
)

const (
	id    = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	other = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c12"
)

// world is a bucket of its own, with what is asked round the store.
type world struct {
	*bucket.Store
	options s3.Options
	client  *minio.Client
	uploads string
}

// open makes a bucket, with a folder of copies; change may be nil.
func open(t *testing.T, change func(*s3.Options)) *world {
	t.Helper()
	name := "b" + strings.ReplaceAll(uuid.NewString(), "-", "")
	server, client := testenv.NewBucket(t, name)
	w := &world{client: client, uploads: t.TempDir(), options: s3.Options{
		Endpoint: "http://" + server.Endpoint(), Bucket: name, AccessKey: testenv.S3AccessKey, SecretKey: testenv.S3SecretKey,
	}}
	if change != nil {
		change(&w.options)
	}
	w.Store = w.reopen(t, w.options)
	return w
}

// reopen opens the same bucket as others may.
func (w *world) reopen(t *testing.T, o s3.Options) *bucket.Store {
	t.Helper()
	var err error
	o.Copies, err = local.Open(w.uploads)
	require.NoError(t, err)
	store, err := s3.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// put writes an object. The server fails where a new bucket has no volume yet.
func (w *world) put(t testing.TB, key, content string) {
	t.Helper()
	put := func() error {
		_, err := w.client.PutObject(t.Context(), w.options.Bucket, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true})
		return err
	}
	err := put()
	if minio.ToErrorResponse(err).StatusCode >= http.StatusInternalServerError {
		require.Eventually(t, func() bool { err = put(); return err == nil }, time.Minute, 50*time.Millisecond, key)
	}
	require.NoError(t, err)
}

// putCopy stores an object as the application does: with a copy in its upload folder.
func (w *world) putCopy(t testing.TB, key, base string) {
	t.Helper()
	w.put(t, key, "bytes")
	require.NoError(t, os.WriteFile(filepath.Join(w.uploads, base), bytes.Repeat([]byte("c"), 7), 0o600))
}

func (w *world) keys(t testing.TB) (keys []string) {
	t.Helper()
	for o := range w.client.ListObjectsIter(t.Context(), w.options.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		require.NoError(t, o.Err)
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return keys
}

func (w *world) copies(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(w.uploads)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// The suite, in the whole bucket. No row names what cannot be text.
func TestBlobs(t *testing.T) {
	t.Parallel()
	blobstest.Run(t, func(t *testing.T) blobstest.Fixture {
		w := open(t, nil)
		return blobstest.Fixture{Store: w.Store, Put: w.put, Left: w.keys, Takes: utf8.ValidString}
	})
}
