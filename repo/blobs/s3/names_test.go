package s3_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
	"pruned/repo/blobs/s3"
)

func inTeam(o *s3.Options) { o.Prefix = "team" }

// oddNames are names of uploads that the application takes as they are.
var oddNames = []string{
	"a b.pdf", "Report #1.pdf", "100%41.txt", "a+b.txt", "what?.txt", "\u00fcml\u00e4ut.txt", "u\u0308mlaut.txt", "tab\there", "line\nbreak",
	"\x01", "..", "trailing ", "trailing.", "a__0x2e__b", "&amp;<x>.txt", "", strings.Repeat("n", 218),
}

// What the application writes is found by its id and goes, whatever its name, and nothing
// else does that is called nearly so.
func TestNamesAsTheApplicationWritesThem(t *testing.T) {
	t.Parallel()
	w := open(t, inTeam)
	var names []string
	for _, name := range oddNames {
		names = append(names, "team/"+id+"_"+name)
	}
	others := []string{id + "_root", "team2/" + id + "_a", "teamfile", "team/" + other + "_a", "team/folder/" + id + "_a", "team/plain", "other/team/" + id + "_a"}
	for _, key := range slices.Concat(names, others) {
		w.put(t, key, "bytes")
	}
	require.ElementsMatch(t, names, w.namesOf(t, id))
	require.ElementsMatch(t, append(names, "team/"+other+"_a"), w.listed(t))

	failed, err := w.Remove(t.Context(), names)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.ElementsMatch(t, others, w.keys(t))
}

func (w *world) namesOf(t *testing.T, id string) (names []string) {
	t.Helper()
	found, err := w.Find(t.Context(), []string{id})
	require.NoError(t, err)
	for _, blob := range found[id] {
		names = append(names, blob.Name)
	}
	return names
}

func (w *world) listed(t *testing.T) (names []string) {
	t.Helper()
	for one, err := range w.List(t.Context()) {
		require.NoError(t, err)
		names = append(names, one.Name)
	}
	return names
}

// This server lists a backslash as a slash, and deletes by either.
func TestABackslashIsListedAsASlash(t *testing.T) {
	t.Parallel()
	w := open(t, inTeam)
	require.NoError(t, os.WriteFile(filepath.Join(w.uploads, "b.txt"), []byte("another's"), 0o600))
	w.putCopy(t, "team/"+id+`_a\b.txt`, id+`_a\b.txt`)
	require.ElementsMatch(t, []string{"team/" + id + "_a/b.txt", "team/" + id + `_a\b.txt`}, w.namesOf(t, id), "as the store and as the copy is called")
	failed, err := w.Remove(t.Context(), w.namesOf(t, id))
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Empty(t, w.keys(t))
	require.Equal(t, []string{"b.txt"}, w.copies(t))

	w.putCopy(t, "team/"+id+`_a\b.txt`, id+`_a\b.txt`)
	name := w.NameOf("s3://" + w.options.Bucket + "/team/" + id + `_a\b.txt`)
	failed, err = w.Remove(t.Context(), []string{name})
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Empty(t, w.keys(t))
	require.Equal(t, []string{"b.txt"}, w.copies(t))
}

// Prefixes are joined as the application joins them; what it makes of others the server
// stores as if they were in order.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"team", "team/", "/team", "//team//"} {
		w := open(t, func(o *s3.Options) { o.Prefix = prefix })
		w.put(t, "team/"+id+"_a", "bytes")
		require.Equal(t, []string{"team/" + id + "_a"}, w.listed(t), prefix)
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

// A copy goes with its object and after it, and is found where there is none; of its
// object it says nothing.
func TestCopies(t *testing.T) {
	t.Parallel()
	w := open(t, inTeam)
	for _, name := range []string{id + "_a", other + "_b"} {
		w.putCopy(t, "team/"+name, name)
	}
	found, err := w.Find(t.Context(), []string{id})
	require.NoError(t, err)
	require.Len(t, found[id], 1)
	require.EqualValues(t, len("bytes"), found[id][0].Size)
	require.Equal(t, []string{"team/" + id + "_a", "team/" + id + "_a", "team/" + other + "_b", "team/" + other + "_b"}, slices.Sorted(slices.Values(w.listed(t))))
	w.remove(t, "team/"+id+"_a")
	require.Equal(t, []string{"team/" + other + "_b"}, w.keys(t))
	require.Equal(t, []string{other + "_b"}, w.copies(t))

	require.NoError(t, os.WriteFile(filepath.Join(w.uploads, id+"_left"), nil, 0o600))
	_, there, err := w.Stat(t.Context(), "team/"+id+"_left")
	require.NoError(t, err)
	require.False(t, there)
	require.Equal(t, []string{"team/" + id + "_left"}, w.namesOf(t, id))
	w.remove(t, "team/"+id+"_left")
	require.Equal(t, []string{other + "_b"}, w.copies(t))
}

func (w *world) remove(t *testing.T, names ...string) {
	t.Helper()
	failed, err := w.Remove(t.Context(), names)
	require.NoError(t, err)
	require.Empty(t, failed)
}

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
