//go:build e2e

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv/openwebui"
)

// TestE2EForgetting: of a user who was deleted no word is left in any file of the
// installation, once all that is due has gone, and the files of SQLite were vacuumed.
func TestE2EForgetting(t *testing.T) {
	const word = "zyzzogeton"
	ctx, dir := t.Context(), t.TempDir()
	b := startBeside(t, openwebui.Options{DataDir: dir, VectorDB: openwebui.Chroma}, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0")
	kept, err := b.app.Upload(ctx, "kept.txt", "The harbour is green.", true)
	require.NoError(t, err)
	_, err = b.app.NewChat(ctx, openwebui.Chat{Title: "kept", Files: []string{kept}})
	require.NoError(t, err)
	user, err := b.app.CreateUser(ctx, "leaver")
	require.NoError(t, err)
	file, err := user.Upload(ctx, "left.txt", "The "+word+" is hidden in the reeds.", true)
	require.NoError(t, err)
	_, err = user.NewChat(ctx, openwebui.Chat{Title: "about a " + word, Files: []string{file}})
	require.NoError(t, err)
	require.NoError(t, b.app.DeleteUser(ctx, user.ID))
	for range 2 {
		b.must(t, "sweep")
		b.drain(t)
	}
	require.NoError(t, b.app.Halt())
	b.must(t, "vacuum")
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || path == b.app.Log() {
			return err
		}
		content, err := os.ReadFile(path)
		require.False(t, bytes.Contains(bytes.ToLower(content), []byte(word)), path)
		return err
	}))
	status, out, errs := b.pruned(t, "", "trace", word)
	require.Equal(t, exitDone, status, out+errs)
	status, out, errs = b.pruned(t, "", "trace", user.ID)
	require.Equal(t, exitDone, status, out+errs)
	require.NoError(t, b.app.Restart(ctx))
	content, err := b.app.FileContent(ctx, kept)
	require.NoError(t, err)
	require.Equal(t, "The harbour is green.", string(content))
}
