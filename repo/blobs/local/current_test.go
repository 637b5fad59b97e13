package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// replace moves the folder away and makes another one of the same path, with these
// files. It returns where the first one is.
func (f folder) replace(t *testing.T, names ...string) (away string) {
	t.Helper()
	away = f.dir + ".away"
	require.NoError(t, os.Rename(f.dir, away))
	require.NoError(t, os.Mkdir(f.dir, 0o755))
	for _, name := range names {
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte("bytes"), 0o600))
	}
	return away
}

func (f folder) listed(t *testing.T) (names []string, err error) {
	t.Helper()
	for listed, err := range f.List(t.Context()) {
		if err != nil {
			return names, err
		}
		names = append(names, listed.Name)
	}
	return names, nil
}

// Each use is of the folder that has the path then, not of the one that had it at
// the start.
func TestReplacedFolderIsUsed(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a.txt", other+"_b.txt")
	away := f.replace(t, id+"_a.txt", id+"_new.txt")
	require.NoError(t, f.Check(t.Context()))
	require.ElementsMatch(t, []string{id + "_a.txt", id + "_new.txt"}, f.find(t, id)[id])
	names, err := f.listed(t)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{id + "_a.txt", id + "_new.txt"}, names)
	require.NoError(t, f.remove(t, id+"_a.txt"))
	require.NoFileExists(t, filepath.Join(f.dir, id+"_a.txt"))
	require.FileExists(t, filepath.Join(away, id+"_a.txt"))
}

// Where it is gone, or an empty one is in its place as where a volume is not
// mounted, nothing counts as removed; when it is back everything goes on.
func TestReplacedFolderWithoutUploadsIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a.txt")
	away := f.replace(t)
	for range 2 {
		for what, err := range map[string]error{
			"check": f.Check(t.Context()), "remove": f.remove(t, id+"_a.txt"),
			"find": func() error { _, err := f.Find(t.Context(), []string{id}); return err }(),
			"list": func() error { _, err := f.listed(t); return err }(),
		} {
			require.Error(t, err, what)
			require.Equal(t, repo.Environment, repo.KindOf(err), what)
			require.ErrorContains(t, err, f.dir, what)
		}
		require.NoError(t, os.RemoveAll(f.dir)) // and then there is none at all
	}
	require.NoError(t, os.Rename(away, f.dir))
	require.NoError(t, f.Check(t.Context()))
	require.NoError(t, f.remove(t, id+"_a.txt"))
	require.NoFileExists(t, filepath.Join(f.dir, id+"_a.txt"))
}

// A folder that was emptied itself may be replaced by an empty one.
func TestReplacedFolderThatWasEmptyIsUsed(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a.txt")
	require.NoError(t, f.remove(t, id+"_a.txt"))
	f.replace(t)
	require.NoError(t, f.Check(t.Context()))
	require.NoError(t, f.remove(t, id+"_a.txt"))
}
