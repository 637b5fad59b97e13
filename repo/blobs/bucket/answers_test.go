package bucket_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
)

const id = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"

// stuck is a server on which nothing goes, and which says what it wants.
type stuck struct {
	bucket.Client
	says error
}

func (s stuck) Remove(context.Context, string) error { return s.says }
func (stuck) Stat(_ context.Context, key string) (bucket.Object, bool, error) {
	return bucket.Object{Key: key, Modified: time.Now()}, true, nil
}
func (stuck) CheckBucket(context.Context) error { return nil }
func (stuck) Close() error                      { return nil }

// The copy stays for as long as the object does, whatever the server says.
func TestAnswersAreNotBelieved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, id+"_a"), nil, 0o600))
	for _, says := range []error{nil, bucket.ErrRefused} {
		copies, err := local.Open(dir)
		require.NoError(t, err)
		store := bucket.New(bucket.Options{Client: stuck{says: says}, Clock: &bucket.Clock{}, Copies: copies})
		failed, err := store.Remove(t.Context(), []string{id + "_a"})
		require.NoError(t, err)
		require.Error(t, failed[id+"_a"])
		require.Equal(t, repo.Permanent, repo.KindOf(failed[id+"_a"]), "it is tried again, and others go")
		require.FileExists(t, filepath.Join(dir, id+"_a"))
		require.NoError(t, store.Close())
	}
	away := errors.New("away")
	store := bucket.New(bucket.Options{Client: stuck{says: away}, Clock: &bucket.Clock{}})
	_, err := store.Remove(t.Context(), []string{id + "_a"})
	require.ErrorIs(t, err, away)
	require.Equal(t, repo.Environment, repo.KindOf(err))
}
