package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/sweep"
	"pruned/repo/testenv"
)

// leaveFolders leaves so many folders in vector_db as Chroma does for dropped collections.
func leaveFolders(t *testing.T, dir string, n int) (folders []string) {
	t.Helper()
	for range n {
		folder := filepath.Join(dir, "vector_db", testenv.NewID())
		require.NoError(t, os.Mkdir(folder, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "data_level0.bin"), make([]byte, 10<<10), 0o600))
		folders = append(folders, folder)
	}
	return folders
}

// remaining are those of these folders that are there.
func remaining(t *testing.T, folders []string) (n int) {
	t.Helper()
	for _, folder := range folders {
		if _, err := os.Lstat(folder); err == nil {
			n++
		}
	}
	return n
}

// On the installation of most, with its settings alone: told by every command that tells
// of work, young at first, then removed by a sweep, and everything in use is as before.
func TestFoldersOfDroppedCollectionsOnSQLite(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	before := holdings(t, world)
	left := leaveFolders(t, world.Dir, 3)
	require.Zero(t, i.sweep(t, exitDone).Folders, "younger than PRUNED_MIN_AGE")
	require.Equal(t, 3, remaining(t, left))

	aged := i // whose PRUNED_MIN_AGE keeps the young file of the world
	i = i.with("PRUNED_MIN_AGE=0")
	dry := i.sweep(t, exitDone, "--dry-run").Folders
	require.Equal(t, sweep.Folders{Found: 3, Bytes: dry.Bytes}, dry)
	require.GreaterOrEqual(t, dry.Bytes, int64(30<<10))
	require.Regexp(t, `folders +3 +[0-9.]+ KiB left by collections that the application dropped\n`, i.must(t, "sweep", "--dry-run"))
	found := i.diagnose(t).of(t, "folders")
	require.Contains(t, found.Detail, "3: ")
	require.Contains(t, found.Remedy, "pruned run removes them")
	require.Equal(t, 3, remaining(t, left))

	require.Regexp(t, `folders +3 +.*dropped; removed 3 with [0-9.]+ KiB\n`, i.must(t, "sweep"))
	require.Zero(t, remaining(t, left))
	require.Zero(t, i.sweep(t, exitDone).Folders)
	require.NotContains(t, i.must(t, "sweep"), "folders")
	aged.drain(t)
	require.NoError(t, world.Verify(before, holdings(t, world)))
}

// Too many are held, told everywhere, and let go by the id.
func TestTooManyFoldersAreHeldOnSQLite(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	before := holdings(t, world)
	i.sweep(t, exitDone)
	i.drain(t)
	i = i.with("PRUNED_MIN_AGE=0", "PRUNED_MAX_FRACTION=0.01")
	left := leaveFolders(t, world.Dir, 11)
	held := i.sweep(t, exitHeld)
	require.Len(t, held.Holds, 1)
	require.Equal(t, "folder", string(held.Holds[0].Direction))
	require.EqualValues(t, 11, held.Holds[0].Found)
	require.Contains(t, held.Holds[0].Reason, "more than the fraction 0.01")
	told := i.diagnose(t).of(t, "held")
	require.Contains(t, told.Detail, "direction folder, store chroma")
	require.True(t, told.Warn)
	i.sweep(t, exitDone, "--dry-run", "--confirm", held.ID)
	require.Equal(t, 11, remaining(t, left))
	require.EqualValues(t, 11, i.sweep(t, exitDone, "--confirm", held.ID).Folders.Removed)
	require.Zero(t, remaining(t, left))
	require.NoError(t, world.Verify(before, holdings(t, world)))
}
