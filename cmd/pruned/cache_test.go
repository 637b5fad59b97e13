package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	oldSound   = "cache/audio/speech/a.mp3"
	oldRequest = "cache/audio/speech/a.json"
	youngSound = "cache/audio/speech/b.mp3"
	model      = "cache/embedding/models/model.bin"
	image      = "cache/image/generations/a.png"
)

// cacheIn makes old and young files in the cache of a data folder.
func cacheIn(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{oldSound, oldRequest, youngSound, model, image} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(name), 0o600))
		if name != youngSound {
			at := time.Now().Add(-48 * time.Hour)
			require.NoError(t, os.Chtimes(path, at, at))
		}
	}
}

// requireCached says which files of cacheIn are left.
func requireCached(t *testing.T, dir string, want ...string) {
	t.Helper()
	var left []string
	for _, name := range []string{oldSound, oldRequest, youngSound, model, image} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			left = append(left, name)
		}
	}
	require.Equal(t, want, left)
}

func TestSweepTellsOfTheCache(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	cacheIn(t, world.Dir)
	all, rest := []string{oldSound, oldRequest, youngSound, model, image}, []string{youngSound, model, image}
	require.NotContains(t, i.must(t, "sweep", "--dry-run"), "cached")
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "cache").Detail, "3 files of speech and recordings take")
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "cache").Detail, "PRUNED_CACHE_AGE is not set")
	requireCached(t, world.Dir, all...)

	i = i.with("PRUNED_CACHE_AGE=24h")
	doctor := ask[diagnosis](t, i, "doctor").of(t, "cache")
	require.True(t, doctor.OK)
	require.Contains(t, doctor.Detail, "2 files of speech and recordings that nothing touched for 24h take")
	require.Contains(t, doctor.Detail, "once that may be done", "no sweep has looked yet whose they are")
	require.Regexp(t, `cached +2 +[0-9.]+ KiB would be removed`, i.must(t, "sweep", "--dry-run"))
	require.EqualValues(t, 2, i.sweep(t, exitDone, "--dry-run").Cache.Files)
	requireCached(t, world.Dir, all...)
	require.Regexp(t, `cached +2 +[0-9.]+ KiB removed`, i.must(t, "sweep"))
	requireCached(t, world.Dir, rest...)
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "cache").Detail, "0 files")
	require.Zero(t, *i.sweep(t, exitDone).Cache)
}

// What cannot be removed is told, and stops nothing.
func TestSweepTellsOfACacheThatIsALink(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1", "PRUNED_CACHE_AGE=24h")
	elsewhere := t.TempDir()
	cacheIn(t, elsewhere)
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "cache"), filepath.Join(world.Dir, "cache")))
	out := i.must(t, "sweep")
	require.Regexp(t, `cached +0 +0 B removed`, out)
	require.Regexp(t, `failed +2 +open .*cache: it is a link`, out)
	require.True(t, ask[diagnosis](t, i, "doctor").of(t, "cache").Warn)
	requireCached(t, elsewhere, oldSound, oldRequest, youngSound, model, image)
}

// The daemon's own sweeps remove it, unless they are dry.
func TestRunRemovesOldFilesOfTheCache(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_CACHE_AGE=24h")
	cacheIn(t, world.Dir)
	swept := func(d *daemon) bool { return strings.Contains(d.errs.String(), `"message":"sweep"`) }
	d := i.startUntil(t, swept, "--dry-run")
	require.Zero(t, d.stop(t))
	requireCached(t, world.Dir, oldSound, oldRequest, youngSound, model, image)
	d = i.startUntil(t, swept)
	require.Zero(t, d.stop(t))
	requireCached(t, world.Dir, youngSound, model, image)
	require.Contains(t, d.errs.String(), "removed old files of Open WebUI's cache")
}
