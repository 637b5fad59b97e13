package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Whatever a row names, nothing goes but a plain file right in the folder, and a name is
// judged or refused: it is no failure of the store, which would be tried for ever.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"file", "../outside", "link", "folder", "folder/inside", ".", "..", "/etc/passwd", "", "a\x00b", "\xff", `..\outside`, "file/", "./file"} {
		f.Add(seed)
	}
	above := f.TempDir()
	uploads := filepath.Join(above, "uploads")
	outside, inside := filepath.Join(above, "outside"), filepath.Join(uploads, "folder", "inside")
	require.NoError(f, os.MkdirAll(filepath.Dir(inside), 0o700))
	for _, path := range []string{outside, inside} {
		require.NoError(f, os.WriteFile(path, []byte("x"), 0o600))
	}
	require.NoError(f, os.Symlink(outside, filepath.Join(uploads, "link")))
	store, err := Open(uploads)
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, store.Close()) })
	f.Fuzz(func(t *testing.T, name string) {
		if _, _, err := store.Stat(t.Context(), name); err != nil {
			require.ErrorIs(t, err, repo.ErrOutside)
		}
		failed, err := store.Remove(t.Context(), []string{name})
		require.NoError(t, err)
		for _, err := range failed {
			require.ErrorIs(t, err, repo.ErrOutside)
		}
		require.FileExists(t, outside)
		require.FileExists(t, inside)
		_, err = os.Lstat(filepath.Join(uploads, "link"))
		require.NoError(t, err)
	})
}
