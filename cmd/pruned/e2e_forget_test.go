//go:build e2e

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// TestE2EForgetting: of a user who was deleted no word is left in any file of the
// installation, once all that is due has gone, and the files of SQLite were vacuumed.
func TestE2EForgetting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := startBeside(t, openwebui.Options{DataDir: dir, VectorDB: openwebui.Chroma}, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_ROWS=dangling")
	l := b.makeLeaver(t)
	// By the end of it nobody else has the files open.
	require.True(t, t.Run("forget", func(t *testing.T) { b.forget(t, l, b.chromaShelf()) }))
	require.NoError(t, b.app.Halt())
	b.must(t, "vacuum")
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || path == b.app.Log() {
			return err
		}
		content, err := os.ReadFile(path)
		require.False(t, bytes.Contains(bytes.ToLower(content), []byte(plantedWord)), path)
		return err
	}))
	b.requireForgotten(t, l)
	require.NoError(t, b.app.Restart(t.Context()))
	b.requireKept(t, l)
}

// TestE2EForgettingPostgreSQL: no row of any table holds a word of the user. What deleted rows
// leave in their tables goes by vacuum.
func TestE2EForgettingPostgreSQL(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.Empty())
	b := startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector},
		"DATABASE_URL="+d.URL, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_ROWS=dangling")
	b.Database = d
	l := b.makeLeaver(t)
	b.forget(t, l, b.pgShelf())
	b.requireForgotten(t, l)
	require.Contains(t, b.must(t, "vacuum"), "document_chunk")
	b.requireKept(t, l)
}

// plantedWord is in everything of the user who leaves, and nowhere else.
const plantedWord = "zyzzogeton"

// leaver is a user who left a file, a chat and a memory, beside a file that stays.
type leaver struct{ id, kept string }

func (b *beside) makeLeaver(t *testing.T) (l leaver) {
	t.Helper()
	ctx := t.Context()
	var err error
	l.kept, err = b.app.Upload(ctx, "kept.txt", "The harbour is green.", true)
	require.NoError(t, err)
	_, err = b.app.NewChat(ctx, openwebui.Chat{Title: "kept", Files: []string{l.kept}})
	require.NoError(t, err)
	user, err := b.app.CreateUser(ctx, "leaver")
	require.NoError(t, err)
	file, err := user.Upload(ctx, "left.txt", "The "+plantedWord+" is hidden in the reeds.", true)
	require.NoError(t, err)
	_, err = user.NewChat(ctx, openwebui.Chat{Title: "about a " + plantedWord, Files: []string{file}})
	require.NoError(t, err)
	_, err = user.Remember(ctx, "The "+plantedWord+" sings at night.")
	require.NoError(t, err)
	l.id = user.ID
	return l
}

// forget deletes the user, and whatever is due then: the row of the memory as well, which the
// application keeps.
func (b *beside) forget(t *testing.T, l leaver, s shelf) {
	t.Helper()
	require.Contains(t, s.names(t), openwebui.MemoryCollection(l.id))
	require.NoError(t, b.app.DeleteUser(t.Context(), l.id))
	for range 2 {
		b.must(t, "sweep")
		b.drain(t)
	}
	require.NotContains(t, s.names(t), openwebui.MemoryCollection(l.id))
}

// requireForgotten asks for the word, and for the user: that the memories went is told by our
// own ledger and queue for as long as they keep anything.
func (b *beside) requireForgotten(t *testing.T, l leaver) {
	t.Helper()
	status, out, errs := b.pruned(t, "", "trace", plantedWord)
	require.Equal(t, exitDone, status, out+errs)
	status, out, errs = b.pruned(t, "", "trace", l.id)
	require.Equal(t, exitFailed, status, out+errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines[1 : len(lines)-1] {
		require.Regexp(t, `^(\S+ +pruned[._]|queue )`, line)
	}
}

func (b *beside) requireKept(t *testing.T, l leaver) {
	t.Helper()
	content, err := b.app.FileContent(t.Context(), l.kept)
	require.NoError(t, err)
	require.Equal(t, "The harbour is green.", string(content))
}
