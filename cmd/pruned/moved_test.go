package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// copyTree copies a folder with the times of its files.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		require.NoError(t, err)
		name, err := filepath.Rel(from, path)
		require.NoError(t, err)
		return os.Chtimes(filepath.Join(to, name), info.ModTime(), info.ModTime())
	}))
}

// A data folder that is moved or restored is another installation: that is said,
// with what to do, and what its tombstones named is found again.
func TestMovedFolderIsAnotherInstallation(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1", "PRUNED_BYTES_DELAY=1h")
	before := holdings(t, world)
	i.sweep(t, exitDone)
	i.drain(t)
	left := holdings(t, world)
	require.Less(t, len(left.Rows), len(before.Rows))
	require.Len(t, left.Bytes, len(before.Bytes), "they wait in tombstones")

	other := *world
	other.Dir = t.TempDir()
	copyTree(t, world.Dir, other.Dir)
	moved := i.with("DATA_DIR="+other.Dir, "PRUNED_BYTES_DELAY=0")
	status, _, errs := moved.pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "copied, moved or restored")
	require.Contains(t, errs, "set PRUNED_STREAM")

	moved = moved.with("PRUNED_STREAM=MOVED")
	_, out, _ := moved.pruned(t, "", "doctor", "-o", "json")
	var d diagnosis
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.False(t, d.OK, "its folders are marked as another's")
	strays := d.of(t, "strays")
	require.Contains(t, strays.Detail, "another installation's")
	held := moved.sweep(t, exitHeld)
	for _, h := range held.Holds {
		require.Contains(t, h.Reason, "marked as another installation's")
	}
	moved.sweep(t, exitDone, "--confirm", held.ID)
	moved.drain(t)
	require.NoError(t, other.Verify(before, holdings(t, &other)))
	require.Equal(t, left, holdings(t, world), "the original is left alone")
}

// A copy knows most of what is in the folders of its original: also where that never
// marked them, they are the copy's only once somebody says so.
func TestOwnershipOfFoldersWithoutAMarkByACopy(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	i.sweep(t, exitDone)
	other := *world
	other.Dir = t.TempDir()
	copyTree(t, world.Dir, other.Dir)
	for _, folder := range []string{"uploads", "vector_db"} {
		require.NoError(t, os.Remove(filepath.Join(other.Dir, folder, ".pruned-installation")))
	}
	before := holdings(t, &other)
	copied := i.with("DATA_DIR="+other.Dir, "PRUNED_STREAM=COPY")
	held := copied.sweep(t, exitHeld)
	require.NotEmpty(t, held.Holds)
	for _, h := range held.Holds {
		require.Contains(t, h.Reason, "this database ran at")
	}
	copied.drain(t)
	left := holdings(t, &other)
	require.Equal(t, before.Bytes, left.Bytes)
	require.Equal(t, before.Chunks, left.Chunks)
	copied.sweep(t, exitDone, "--confirm", held.ID)
	copied.drain(t)
	require.NotEqual(t, before.Bytes, holdings(t, &other).Bytes)
}
