package local_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/repo"
	"pruned/repo/blobs/blobstest"
	"pruned/repo/blobs/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	id    = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	other = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c12"
)

// folder is an upload folder, with something beside it.
type folder struct {
	*local.Store
	dir, outside string
}

func open(t *testing.T, names ...string) folder {
	t.Helper()
	root := t.TempDir()
	f := folder{dir: filepath.Join(root, "uploads"), outside: filepath.Join(root, "secret")}
	require.NoError(t, os.Mkdir(f.dir, 0o755))
	require.NoError(t, os.WriteFile(f.outside, []byte("secret"), 0o600))
	for _, name := range names {
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte("bytes"), 0o600))
	}
	var err error
	f.Store, err = local.Open(f.dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// find returns the names of the objects of each id, in order.
func (f folder) find(t *testing.T, ids ...string) map[string][]string {
	t.Helper()
	found, err := f.Find(t.Context(), ids)
	require.NoError(t, err)
	names := map[string][]string{}
	for id, list := range found {
		for _, blob := range list {
			names[id] = append(names[id], blob.Name)
		}
		slices.Sort(names[id])
	}
	return names
}

// remove removes one object.
func (f folder) remove(t *testing.T, name string) error {
	t.Helper()
	failed, err := f.Remove(t.Context(), []string{name})
	return cmp.Or(err, failed[name])
}

func (f folder) names(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// The suite, in a folder that also has others' folders and links, which are no
// objects.
func TestBlobs(t *testing.T) {
	t.Parallel()
	blobstest.Run(t, func(t *testing.T) blobstest.Fixture {
		f := open(t)
		require.NoError(t, os.Mkdir(filepath.Join(f.dir, id+"_folder"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, id+"_folder", id+"_deep"), nil, 0o600))
		require.NoError(t, os.Symlink(f.outside, filepath.Join(f.dir, id+"_link")))
		return blobstest.Fixture{
			Store: f.Store,
			Put: func(t testing.TB, name, content string) {
				require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte(content), 0o600))
			},
			Left: func(t testing.TB) []string {
				return slices.DeleteFunc(f.names(t), func(name string) bool { return name == id+"_folder" || name == id+"_link" })
			},
			Outside: []string{"a/b", id + "_folder", id + "_link", id + "_folder/" + id + "_deep", f.outside, strings.Repeat("x", 300)},
		}
	})
}

// Bytes that were restored with their times a month ago are not old at once.
func TestTimesOfRestoredBytes(t *testing.T) {
	t.Parallel()
	name := id + "_a"
	f := open(t, name)
	at := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(f.dir, name), time.Now(), at))
	found, err := f.Find(t.Context(), []string{id})
	require.NoError(t, err)
	require.Len(t, found[id], 1)
	require.EqualValues(t, 5, found[id][0].Size)
	require.InDelta(t, 0, found[id][0].Age, float64(time.Minute))
	require.InDelta(t, 0, f.list(t)[name].Age, float64(time.Minute))
	blob, there, err := f.Stat(t.Context(), name)
	require.NoError(t, err)
	require.True(t, there)
	require.InDelta(t, 0, blob.Age, float64(time.Minute))
}

// What is removed or read lies in the folder itself, and is no link.
func TestStaysInTheFolder(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, "folder"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "folder", "a"), nil, 0o600))
	require.NoError(t, os.Symlink(f.outside, filepath.Join(f.dir, "link")))
	require.NoError(t, os.Symlink("..", filepath.Join(f.dir, "up")))
	before := f.names(t)
	for _, name := range []string{"", ".", "..", "/", "../secret", "./" + id + "_a", "folder/../" + id + "_a", "folder/a", "folder", "folder/",
		"link", "up", "up/secret", f.outside, filepath.Join(f.dir, id+"_a"), "a/b", strings.Repeat("x", 300)} {
		require.ErrorIs(t, f.remove(t, name), repo.ErrOutside, "%q", name)
		opened, _ := f.Open(t.Context(), name)
		require.Nil(t, opened, "%q", name)
	}
	require.Equal(t, before, f.names(t))
	require.FileExists(t, f.outside)
	require.FileExists(t, filepath.Join(f.dir, "folder", "a"))
}

// The folder may be a link itself, which leads elsewhere later.
func TestFolderThatIsALink(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(f.dir, link))
	linked, err := local.Open(link)
	require.NoError(t, err)
	l := folder{Store: linked}
	require.NoError(t, os.Rename(f.dir, f.dir+"-moved"))
	require.ErrorIs(t, l.remove(t, id+"_a"), fs.ErrNotExist)
	require.FileExists(t, filepath.Join(f.dir+"-moved", id+"_a"))
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(f.dir+"-moved", link))
	require.NoError(t, l.remove(t, id+"_a"))
	require.NoError(t, l.Close())
	require.NoFileExists(t, filepath.Join(f.dir+"-moved", id+"_a"))
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	require.NoError(t, f.Check(t.Context()))
	require.Equal(t, []string{id + "_a"}, f.names(t), "it leaves nothing")
	require.NoError(t, open(t).Check(t.Context()), "an empty folder")

	_, err := local.Open(filepath.Join(f.dir, "missing"))
	require.ErrorContains(t, err, "DATA_DIR must be Open WebUI's")
	_, err = local.Open(f.outside)
	require.Error(t, err, "a file is no folder")
}

// A folder that is gone is an error, and not one without objects.
func TestFolderThatIsGone(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	closed, err := local.Open(f.dir)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = closed.Find(t.Context(), []string{id})
	require.ErrorIs(t, err, os.ErrClosed)
	require.Error(t, closed.Check(t.Context()))
	err = folder{Store: closed}.remove(t, id+"_a")
	require.Error(t, err)
	require.NotErrorIs(t, err, repo.ErrOutside)
}

// list returns what the folder lists, by name.
func (f folder) list(t *testing.T) map[string]repo.Listed {
	t.Helper()
	listed := map[string]repo.Listed{}
	for one, err := range f.List(t.Context()) {
		require.NoError(t, err)
		require.NotContains(t, listed, one.Name)
		listed[one.Name] = one
	}
	return listed
}

// A folder that is gone is an error, and not one without objects.
func TestListOfAFolderThatIsGone(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	require.NoError(t, os.RemoveAll(f.dir))
	var failed error
	listed := 0
	for _, err := range f.List(t.Context()) {
		listed++
		failed = err
	}
	require.Error(t, failed)
	require.Equal(t, 1, listed)
}

// What an object takes is told by its blocks, not by its length: a hole takes nothing.
func TestAllocatedIsNotTheSize(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	const length = 64 << 20
	require.NoError(t, os.Truncate(filepath.Join(f.dir, id+"_a"), length))
	blob, there, err := f.Stat(t.Context(), id+"_a")
	require.NoError(t, err)
	require.True(t, there)
	require.EqualValues(t, length, blob.Size)
	require.Less(t, blob.Allocated, int64(length/2))
	require.Equal(t, blob.Allocated, f.list(t)[id+"_a"].Allocated)
}
