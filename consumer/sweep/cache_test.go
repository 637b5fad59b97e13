package sweep

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/cache"
)

const cacheAge = 24 * time.Hour

// cached is an installation with a cache, whose upload folder is marked as its own.
type cached struct {
	*fixture.Installation
	data string
}

// newCached has an old and a young recording, and what is no cache of the kind that goes.
func newCached(t *testing.T) cached {
	t.Helper()
	c := cached{fixture.Install(t), t.TempDir()}
	require.NoError(t, repo.Mark{Dir: c.Uploads}.Set(c.DB.Identity().Key))
	for name, age := range map[string]time.Duration{
		"audio/transcriptions/old.wav": 2 * cacheAge, "audio/transcriptions/young.wav": 0,
		"audio/speech/pair.mp3": 2 * cacheAge, "audio/speech/pair.json": 2 * cacheAge,
		"audio/speech/half.mp3": 2 * cacheAge, "audio/speech/half.json": 0,
		"embedding/models/model.bin": 2 * cacheAge, "image/generations/shown.png": 2 * cacheAge,
	} {
		path := filepath.Join(c.data, "cache", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(name), 0o600))
		at := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(path, at, at))
	}
	return c
}

func (c cached) sweeper(t *testing.T) *Sweeper {
	t.Helper()
	s := sweeper(t, c.Installation, fixture.OpenQueue(t))
	s.Blobs, s.Cache, s.CacheAge = c.Blobs, cache.New(c.data).ByModification(), cacheAge
	return s
}

// left lists the files below the cache.
func (c cached) left(t *testing.T) (names []string) {
	t.Helper()
	root := filepath.Join(c.data, "cache")
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		names = append(names, name)
		return err
	}))
	return names
}

var (
	allCached  = []string{"audio/speech/half.json", "audio/speech/half.mp3", "audio/speech/pair.json", "audio/speech/pair.mp3", "audio/transcriptions/old.wav", "audio/transcriptions/young.wav", "embedding/models/model.bin", "image/generations/shown.png"}
	leftCached = []string{"audio/speech/half.json", "audio/speech/half.mp3", "audio/transcriptions/young.wav", "embedding/models/model.bin", "image/generations/shown.png"}
)

func TestSweepRemovesOldFilesOfTheCache(t *testing.T) {
	t.Parallel()
	c := newCached(t)
	s := c.sweeper(t)
	s.DryRun = true
	dry := sweepOnce(t, s)
	require.EqualValues(t, 3, dry.Cache.Files)
	require.Positive(t, dry.Cache.Bytes)
	require.Empty(t, dry.Cache.Waits)
	require.Equal(t, allCached, c.left(t))

	s.DryRun = false
	report := sweepOnce(t, s)
	require.Equal(t, dry.Cache, report.Cache)
	require.Equal(t, leftCached, c.left(t))
	require.Zero(t, *sweepOnce(t, s).Cache)
}

func TestCacheIsKeptWhereNoAgeIsSet(t *testing.T) {
	t.Parallel()
	c := newCached(t)
	s := c.sweeper(t)
	s.CacheAge = 0
	require.Nil(t, sweepOnce(t, s).Cache)
	require.Equal(t, allCached, c.left(t))
}

// Nothing goes beside an upload folder that is not known to be this installation's, that
// is marked as another's, or that is none.
func TestCacheOfAnotherInstallationIsKept(t *testing.T) {
	t.Parallel()
	c := newCached(t)
	c.Unbind(t)
	c.AddRemains(t, false, true) // no row of this database knows it
	s := c.sweeper(t)
	for _, kind := range []struct {
		why     string
		prepare func()
	}{
		{"it is not known whether", func() { require.NoError(t, os.Remove(filepath.Join(c.Uploads, ".pruned-installation"))) }},
		{"it is not known whether", func() { require.NoError(t, repo.Mark{Dir: c.Uploads}.Set("another")) }},
		{"there is no upload folder", func() { s.Blobs = c.ApprovedBlobs() }},
	} {
		kind.prepare()
		for _, s.DryRun = range []bool{true, false} {
			report := sweepOnce(t, s)
			require.EqualValues(t, 3, report.Cache.Files)
			require.Contains(t, report.Cache.Waits, kind.why)
			require.Equal(t, allCached, c.left(t))
		}
	}
}

// The first sweep binds the upload folder by what it holds, and then removes; its dry run
// says so.
func TestCacheGoesWithTheSweepThatBindsTheUploads(t *testing.T) {
	t.Parallel()
	c := newCached(t)
	c.Unbind(t)
	require.NoError(t, os.Remove(filepath.Join(c.Uploads, ".pruned-installation")))
	c.AddUsedFiles(t, 1)
	s := c.sweeper(t)
	s.DryRun = true
	require.Empty(t, sweepOnce(t, s).Cache.Waits)
	require.Equal(t, allCached, c.left(t))
	s.DryRun = false
	require.EqualValues(t, 3, sweepOnce(t, s).Cache.Files)
	require.Equal(t, leftCached, c.left(t))
}

// What was listed just now is not listed again where the sweep may rest.
func TestCacheRests(t *testing.T) {
	t.Parallel()
	c := newCached(t)
	s := c.sweeper(t)
	s.cached = listing{ended: time.Now(), took: time.Hour}
	report, _ := sweepWith(t, s, Options{Rest: true})
	require.Nil(t, report.Cache)
	require.Equal(t, allCached, c.left(t))
	report, _ = sweepWith(t, s, Options{})
	require.EqualValues(t, 3, report.Cache.Files)
}
