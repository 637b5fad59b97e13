package blobs_test

import (
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
	"pruned/repo/blobs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	id    = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	other = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c12"
)

// folder is an upload folder, with something beside it.
type folder struct {
	*blobs.Local
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
	f.Local, err = blobs.OpenLocal(f.dir)
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

func (f folder) names(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestFindKnowsWhoseBytes(t *testing.T) {
	t.Parallel()
	his := []string{id, id + ".pdf", id + "_", id + "_a.b c.pdf", id + "_" + other, id + "_ünïcödé.pdf"}
	f := open(t, slices.Concat(his, []string{
		other, other + "_" + id + ".pdf", // another's
		id + "x", id + "-_a", id + " _a", id[:35] + "_a", "x" + id, id[1:] + "_a", // nearly
		strings.ToUpper(id) + "_a", strings.ReplaceAll(id, "-", "_"), strings.ReplaceAll(id, "-", ""),
		"notes.txt", ".hidden", "_" + id, id[:8], "no-uuid_a.pdf", "no-uuid",
	})...)
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, id+"_folder"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, id+"_folder", id+"_deep"), nil, 0o600))
	require.NoError(t, os.Symlink(f.outside, filepath.Join(f.dir, id+"_link")))

	found := f.find(t, id, "no-uuid", "", ".", "..", "../secret", id[:8], id[:35], "notes.txt", "*", id+"_a.b c.pdf")
	slices.Sort(his)
	require.Equal(t, map[string][]string{id: his}, found)
	require.Empty(t, f.find(t))
	require.Empty(t, f.find(t, "6f1c1f6e-0000-4000-8000-000000000000"))
	require.Equal(t, []string{other, other + "_" + id + ".pdf"}, f.find(t, other)[other])
	require.Equal(t, []string{strings.ToUpper(id) + "_a"}, f.find(t, strings.ToUpper(id))[strings.ToUpper(id)])
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

// A folder is read in pieces; a name that no tombstone can hold is left alone.
func TestFindInALargeFolder(t *testing.T) {
	t.Parallel()
	var names []string
	for n := range 3000 {
		names = append(names, other+"_"+strings.Repeat("x", n%100)+string(rune('a'+n/100)))
	}
	f := open(t, append(names, id+"_a", id+"_\xff")...)
	require.Equal(t, []string{id + "_a"}, f.find(t, id)[id])
	require.Len(t, f.find(t, other)[other], 3000)
}

func TestRemove(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a", id+"_b", "plain")
	require.NoError(t, f.Remove(t.Context(), id+"_a"))
	require.NoError(t, f.Remove(t.Context(), id+"_a"), "the second time")
	require.NoError(t, f.Remove(t.Context(), "plain"), "plugins name objects as they like")
	require.Equal(t, []string{id + "_b"}, f.names(t))
}

func TestRemoveStaysInTheFolder(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, "folder"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "folder", "a"), nil, 0o600))
	require.NoError(t, os.Symlink(f.outside, filepath.Join(f.dir, "link")))
	require.NoError(t, os.Symlink("..", filepath.Join(f.dir, "up")))
	before := f.names(t)
	for _, name := range []string{"", ".", "..", "/", "../secret", "./" + id + "_a", "folder/../" + id + "_a", "folder/a", "folder", "folder/",
		"link", "up", "up/secret", f.outside, filepath.Join(f.dir, id+"_a"), "a/b", strings.Repeat("x", 300)} {
		require.ErrorIs(t, f.Remove(t.Context(), name), repo.ErrOutside, "%q", name)
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
	l, err := blobs.OpenLocal(link)
	require.NoError(t, err)
	require.NoError(t, os.Rename(f.dir, f.dir+"-moved"))
	require.ErrorIs(t, l.Remove(t.Context(), id+"_a"), fs.ErrNotExist)
	require.FileExists(t, filepath.Join(f.dir+"-moved", id+"_a"))
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(f.dir+"-moved", link))
	require.NoError(t, l.Remove(t.Context(), id+"_a"))
	require.NoError(t, l.Close())
	require.NoFileExists(t, filepath.Join(f.dir+"-moved", id+"_a"))
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	require.NoError(t, f.Check(t.Context()))
	require.Equal(t, []string{id + "_a"}, f.names(t), "it leaves nothing")
	require.NoError(t, open(t).Check(t.Context()), "an empty folder")

	_, err := blobs.OpenLocal(filepath.Join(f.dir, "missing"))
	require.ErrorContains(t, err, "DATA_DIR must be Open WebUI's")
	_, err = blobs.OpenLocal(f.outside)
	require.Error(t, err, "a file is no folder")
}

// A folder that is gone is an error, and not one without objects.
func TestFolderThatIsGone(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a")
	closed, err := blobs.OpenLocal(f.dir)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = closed.Find(t.Context(), []string{id})
	require.ErrorIs(t, err, os.ErrClosed)
	require.Error(t, closed.Check(t.Context()))
	err = closed.Remove(t.Context(), id+"_a")
	require.Error(t, err)
	require.NotErrorIs(t, err, repo.ErrOutside)
}
