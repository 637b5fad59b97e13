//go:build e2e

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/stretchr/testify/require"

	"pruned/repo/fileinfo"
	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

const (
	cycleFiles    = 3
	livingFiles   = 12
	longText      = 40    // sentences: several chunks
	diskTolerance = 0.05  // of what the same content takes on a fresh installation
	diskWaste     = 0.5   // that the cycles leave at least, else they show nothing
	cycleNumbers  = 1_000 // of the texts that go, beyond those that stay
)

// TestE2EDiskSQLite: a disk that cycles of upload, knowledge base, reindex and delete have
// filled is as empty again, after a run and a vacuum, as it was when nothing but what is in
// use had ever been there. All of pruned's own counts as well.
func TestE2EDiskSQLite(t *testing.T) {
	t.Parallel()
	began := time.Now()
	b := startBeside(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma},
		"PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0")
	world := openwebui.World{Used: b.fillBase(t, 0, livingFiles)}
	require.NoError(t, b.app.Halt())
	b.emptyLog(t)
	fresh := b.measureDisk(t, "fresh")
	require.NoError(t, b.app.Restart(t.Context()))

	cycles := 10
	if testing.Short() {
		cycles = 3
	}
	for cycle := range cycles {
		files := b.fillBase(t, cycleNumbers+cycle*cycleFiles, cycleFiles)
		require.NoError(t, b.app.Reindex(t.Context()))
		require.NoError(t, b.app.DeleteFile(t.Context(), files[0].ID))
		require.NoError(t, b.app.DeleteKnowledge(t.Context(), files[0].Knowledge))
		world.Unused = append(world.Unused, files...)
	}
	require.Greater(t, float64(b.measureDisk(t, "filled")), float64(fresh)*(1+diskWaste))
	b.must(t, "run", "--once")
	require.NoError(t, b.app.Halt())
	b.measureDisk(t, "after a run")
	b.must(t, "vacuum")
	require.LessOrEqual(t, float64(b.measureDisk(t, "after a vacuum")), float64(fresh)*(1+diskTolerance))

	require.NoError(t, b.app.Restart(t.Context()))
	require.NoError(t, openwebui.Verify(t.Context(), b.app, world))
	require.NoError(t, openwebui.VerifyPruned(t.Context(), b.app, world))
	t.Logf("in %s", time.Since(began).Round(time.Second))
}

// emptyLog writes the log of webui.db back while nobody uses it: what is fresh is measured
// no larger than its content is.
func (b *beside) emptyLog(t *testing.T) {
	t.Helper()
	db, err := testenv.OpenSQLite(filepath.Join(b.dir, "webui.db"), "wal")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(t, errors.Join(err, db.Close()))
}

// fillBase makes a knowledge base with files, whose texts have the numbers from first on.
func (b *beside) fillBase(t *testing.T, first, n int) (files []openwebui.File) {
	t.Helper()
	base, err := b.app.CreateKnowledge(t.Context(), fmt.Sprintf("Base %d", first))
	require.NoError(t, err)
	for number := range n {
		var text strings.Builder
		for i := range longText {
			fmt.Fprintf(&text, "Text%dx%d tells of day %d at the harbour.\n", first+number, i, i)
		}
		file := openwebui.File{Name: fmt.Sprintf("text-%d.txt", first+number), Text: text.String(), Place: "a base", Processed: true, Knowledge: base}
		file.ID, err = b.app.Upload(t.Context(), file.Name, file.Text, true)
		require.NoError(t, err)
		require.NoError(t, b.app.AddToKnowledge(t.Context(), base, file.ID))
		files = append(files, file)
	}
	return files
}

// measureDisk adds up what everything below the data folder takes of the disk, but for the
// application's output, which lies there for the tests alone. It tells the parts.
func (b *beside) measureDisk(t *testing.T, when string) (total int64) {
	t.Helper()
	parts := map[string]int64{}
	require.NoError(t, filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == b.app.Log() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(b.dir, path)
		part, inside, _ := strings.Cut(name, "/")
		if part == "vector_db" && strings.HasPrefix(inside, "chroma.sqlite3") {
			part += "/chroma.sqlite3"
		}
		parts[part] += fileinfo.AllocatedBytes(info)
		total += fileinfo.AllocatedBytes(info)
		return err
	}))
	var told []string
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		told = append(told, part+" "+humanize.IBytes(uint64(parts[part])))
	}
	t.Logf("%s: %s (%d bytes): %s", when, humanize.IBytes(uint64(total)), total, strings.Join(told, ", "))
	return total
}
