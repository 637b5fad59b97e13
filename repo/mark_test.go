package repo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

func TestOwnershipMarkOfAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mark, nowhere := repo.Mark{Dir: dir}, repo.Mark{Dir: filepath.Join(dir, "none")}
	is := func(want string) {
		t.Helper()
		owner, err := mark.Owner()
		require.NoError(t, err)
		require.Equal(t, want, owner)
	}
	is("")
	for _, owner := range []string{"7391/5/public", "sqlite/0a/1:2"} {
		require.NoError(t, mark.Set(owner))
		is(owner)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)

	require.NoError(t, nowhere.Set("a"), "there is nothing to mark")
	owner, err := nowhere.Owner()
	require.NoError(t, err)
	require.Empty(t, owner)

	require.False(t, nowhere.Absent())
	nowhere.Optional = true
	require.True(t, nowhere.Absent())

	name := filepath.Join(dir, entries[0].Name())
	for _, text := range []string{"", "\n", "half of a na"} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, err = mark.Owner()
		require.ErrorContains(t, err, "does not say it", text)
	}
	require.NoError(t, os.Remove(name))
	require.NoError(t, os.Symlink("/etc/hostname", name))
	_, err = mark.Owner()
	require.ErrorContains(t, err, "no plain file")
}
