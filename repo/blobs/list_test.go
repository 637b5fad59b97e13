package blobs_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

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

func TestListKnowsWhoseBytes(t *testing.T) {
	t.Parallel()
	upper := strings.ToUpper(id)
	owners := map[string]string{
		id: id, id + ".pdf": id, id + "_": id, id + "_a.b c.pdf": id, id + "_" + other: id, id + "_ünïcödé.pdf": id,
		other + "_" + id + ".pdf": other, upper + "_a": upper,
	}
	f := open(t, id+"x", id+"-_a", id+" _a", id[:35]+"_a", "x"+id, "notes.txt", ".hidden", "_"+id, "no-uuid_a.pdf", id+"_\xff")
	for name := range owners {
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte("bytes"), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, id+"_folder"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, id+"_folder", id+"_deep"), nil, 0o600))
	require.NoError(t, os.Symlink(f.outside, filepath.Join(f.dir, id+"_link")))

	got := map[string]string{}
	for name, one := range f.list(t) {
		got[name] = one.FileID
		require.EqualValues(t, 5, one.Size)
	}
	require.Equal(t, owners, got)
	require.InDelta(t, 0, f.list(t)[id].Age, float64(time.Minute))
	require.Empty(t, open(t).list(t), "an empty folder")
}

// What List tells of a file is what Find finds of it, also in a folder that is
// read in pieces.
func TestListAgreesWithFind(t *testing.T) {
	t.Parallel()
	var names []string
	for n := range 3000 {
		names = append(names, other+"_"+strings.Repeat("x", n%100)+string(rune('a'+n/100)))
	}
	f := open(t, append(names, id+"_a")...)
	listed := f.list(t)
	require.Len(t, listed, len(names)+1)
	require.Equal(t, id, listed[id+"_a"].FileID)
	for _, name := range f.find(t, other)[other] {
		require.Equal(t, other, listed[name].FileID)
	}
}

func TestListEndsEarly(t *testing.T) {
	t.Parallel()
	f := open(t, id+"_a", id+"_b", id+"_c")
	n := 0
	for _, err := range f.List(t.Context()) {
		require.NoError(t, err)
		if n++; n == 2 {
			break
		}
	}
	require.Equal(t, 2, n)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var failed error
	for _, err := range f.List(ended) {
		failed = err
	}
	require.ErrorIs(t, failed, context.Canceled)
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
