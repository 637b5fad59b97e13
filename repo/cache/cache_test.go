package cache_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/repo"
	"pruned/repo/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	limit   = 24 * time.Hour
	content = "bytes"

	speech     = "cache/audio/speech/"
	recordings = "cache/audio/transcriptions/"
)

// data is a data folder.
type data struct{ dir string }

// newData makes one with these files, which nothing has touched for longer than limit.
func newData(t *testing.T, old ...string) data {
	t.Helper()
	d := data{t.TempDir()}
	for _, name := range old {
		d.write(t, name, 2*limit)
	}
	return d
}

func (d data) path(name string) string { return filepath.Join(d.dir, name) }

func (d data) write(t *testing.T, name string, age time.Duration) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(d.path(name)), 0o755))
	require.NoError(t, os.WriteFile(d.path(name), []byte(content), 0o600))
	at := time.Now().Add(-age)
	require.NoError(t, os.Chtimes(d.path(name), at, at))
}

// link makes a link at name.
func (d data) link(t *testing.T, target, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(d.path(name)), 0o755))
	require.NoError(t, os.Symlink(target, d.path(name)))
}

// left lists everything below the data folder; folders end with a slash.
func (d data) left(t *testing.T) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(d.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == d.dir {
			return err
		}
		name, err := filepath.Rel(d.dir, path)
		if entry.IsDir() {
			name += "/"
		}
		names = append(names, name)
		return err
	}))
	return names
}

func (d data) cache() *cache.Folder { return cache.New(d.dir).ByModification() }

// removeOld removes what is old, which a count has foretold.
func (d data) removeOld(t *testing.T) repo.CacheFiles {
	t.Helper()
	before := d.left(t)
	counted, err := d.cache().CountOld(t.Context(), limit)
	require.NoError(t, err)
	require.Equal(t, before, d.left(t), "a count removes nothing")
	removed, err := d.cache().RemoveOld(t.Context(), limit)
	require.NoError(t, err)
	require.Equal(t, counted.Files, removed.Files+removed.Failed-counted.Failed)
	return removed
}

// folders are those of the cache, which stay.
var folders = []string{"cache/", "cache/audio/", "cache/audio/speech/", "cache/audio/transcriptions/"}

func TestRemoveOldRemovesWhatIsOld(t *testing.T) {
	t.Parallel()
	d := newData(t,
		speech+"a.mp3", speech+"a.json", // of today's and of older versions
		speech+"b.wav", speech+"b.json", speech+"b.mime",
		speech+"c.wav.0123.tmp", // of a process that ended
		speech+"alone.json", speech+"name", speech+"of/an/operator.mp3",
		recordings+"d.webm", recordings+"d.mp3", recordings+"d.json", recordings+"d_compressed.mp3", recordings+"d_chunk_0.mp3")
	removed := d.removeOld(t)
	require.Equal(t, append(folders[:3:3], "cache/audio/speech/of/", "cache/audio/speech/of/an/", "cache/audio/transcriptions/"), d.left(t))
	require.EqualValues(t, 14, removed.Files)
	require.Zero(t, removed.Failed, removed.Failure)
	require.Positive(t, removed.Bytes)
}

// Bytes are what the disk has more of afterwards: a file with a hole takes little.
func TestBytesAreThoseOfTheDisk(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"a.mp3")
	require.NoError(t, os.Truncate(d.path(speech+"a.mp3"), 1<<30))
	old := time.Now().Add(-2 * limit)
	require.NoError(t, os.Chtimes(d.path(speech+"a.mp3"), old, old))
	removed := d.removeOld(t)
	require.EqualValues(t, 1, removed.Files)
	require.Less(t, removed.Bytes, int64(1<<20))
}

func TestRemoveOldKeepsWhatIsYoung(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"old.mp3", speech+"old.json")
	d.write(t, speech+"young.mp3", 0)
	d.write(t, speech+"nearly.mp3", limit-time.Minute)
	d.write(t, recordings+"future.wav", -time.Hour)
	require.EqualValues(t, 2, d.removeOld(t).Files)
	require.Equal(t, append(folders[:3:3], speech+"nearly.mp3", speech+"young.mp3", folders[3], recordings+"future.wav"), d.left(t))
}

// Of a pair with one young half nothing goes.
func TestPairsGoTogether(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"a.mp3", speech+"b.json", speech+"c.wav", speech+"c.json", speech+"gone.mp3", speech+"gone.json")
	d.write(t, speech+"a.json", 0)
	d.write(t, speech+"b.mp3", 0)
	d.write(t, speech+"c.mime", 0)
	require.EqualValues(t, 2, d.removeOld(t).Files)
	require.Equal(t, append(folders[:3:3], speech+"a.json", speech+"a.mp3", speech+"b.json", speech+"b.mp3",
		speech+"c.json", speech+"c.mime", speech+"c.wav"), d.left(t))
}

// A restored file has its old time of modification, and was touched just now.
func TestRestoredFilesAreYoung(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"a.mp3", speech+"a.json")
	before := d.left(t)
	removed, err := cache.New(d.dir).RemoveOld(t.Context(), limit)
	require.NoError(t, err)
	require.Zero(t, removed)
	require.Equal(t, before, d.left(t))
}

// Whatever else lies in the data folder stays, whatever its age.
func TestRemoveOldKnowsTwoFolders(t *testing.T) {
	t.Parallel()
	d := newData(t, "webui.db", "uploads/a.mp3", "vector_db/chroma.sqlite3", "audio/speech/a.mp3", "speech/a.mp3",
		"cache/a.mp3", "cache/audio/a.mp3", "cache/audio/voices/a.mp3", "cache/audio/Speech/a.mp3", "cache/speech/a.mp3",
		"cache/embedding/models/model.bin", "cache/whisper/models/model.bin", "cache/tiktoken/0123", "cache/functions/f/state.json",
		"cache/tools/t/picture.png", "cache/image/generations/a.png", "cache/image/generations/a.png.json",
		speech+".nfs0001", speech+".snapshot/a.mp3")
	before := d.left(t)
	require.Zero(t, d.removeOld(t))
	require.Equal(t, before, d.left(t))
}

// Links in a cache stay, and so does what they lead to, a plain file or a folder, within
// the data folder or outside.
func TestRemoveOldGoesThroughNoLink(t *testing.T) {
	t.Parallel()
	outside := newData(t, "a.mp3", "folder/a.mp3")
	d := newData(t, "cache/whisper/model.bin", "uploads/a.mp3", speech+"old.mp3")
	d.link(t, outside.path("a.mp3"), speech+"file.mp3")
	d.link(t, outside.path("folder"), speech+"folder")
	d.link(t, "../../whisper", speech+"whisper")
	d.link(t, "../../../uploads", recordings+"uploads")
	before := d.left(t)
	removed := d.removeOld(t)
	require.EqualValues(t, 1, removed.Files)
	require.Zero(t, removed.Failed, removed.Failure)
	require.Equal(t, without(before, speech+"old.mp3"), d.left(t))
	require.Equal(t, []string{"a.mp3", "folder/", "folder/a.mp3"}, outside.left(t))
}

// A folder of the cache that is a link itself is told, and not entered; the other is.
func TestCacheThatIsALink(t *testing.T) {
	t.Parallel()
	outside := newData(t, "a.mp3", "speech/a.mp3", "audio/speech/a.mp3")
	for name, target := range map[string]string{"cache/audio/speech": "speech", "cache/audio": "audio", "cache": "."} {
		d := newData(t)
		d.link(t, outside.path(target), name)
		before := outside.left(t)
		removed := d.removeOld(t)
		require.Zero(t, removed.Files, name)
		require.Positive(t, removed.Failed, name)
		require.Contains(t, removed.Failure, d.path(name)+": it is a link", name)
		require.Equal(t, before, outside.left(t), name)
	}
	d := newData(t, recordings+"a.wav")
	d.link(t, "transcriptions", "cache/audio/speech")
	removed := d.removeOld(t)
	require.EqualValues(t, 1, removed.Files)
	require.EqualValues(t, 1, removed.Failed)
	require.Equal(t, append(folders[:2:2], "cache/audio/speech", folders[3]), d.left(t))
}

// What is not there yet, or no more, is no failure.
func TestFoldersThatAreMissing(t *testing.T) {
	t.Parallel()
	for _, d := range []data{newData(t), newData(t, "cache/audio/other"), {filepath.Join(t.TempDir(), "missing")}} {
		removed, err := d.cache().RemoveOld(t.Context(), limit)
		require.NoError(t, err)
		require.Zero(t, removed)
	}
}

// One file that cannot be removed is counted and told, keeps what belongs to it, and
// stops nothing else. One that somebody else removed is no failure.
func TestFailuresOfSingleFilesStopNothing(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"a.mp3", speech+"a.json", speech+"b.mp3", speech+"b.json", speech+"c.mp3", speech+"folder/d.mp3", recordings+"e.wav")
	removed, err := d.cache().RemoveOldBy(t.Context(), limit, func(root *os.Root, name string) error {
		switch name {
		case "b.mp3":
			return &fs.PathError{Op: "unlinkat", Path: name, Err: fs.ErrPermission}
		case "c.mp3":
			return errors.Join(root.Remove(name), root.Remove(name))
		}
		return root.Remove(name)
	})
	require.NoError(t, err)
	require.EqualValues(t, 4, removed.Files)
	require.EqualValues(t, 1, removed.Failed)
	require.Equal(t, "remove "+d.path(speech+"b.mp3")+": unlinkat b.mp3: permission denied", removed.Failure)
	require.Equal(t, append(folders[:3:3], speech+"b.json", speech+"b.mp3", speech+"folder/", folders[3]), d.left(t))
}

// The application speaks again while the old sound goes: sound goes first, and what was
// written anew since then stays.
func TestSpeechThatIsMadeAgain(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"a.json", speech+"a.mime", speech+"a.mp3")
	var tried []string
	removed, err := d.cache().RemoveOldBy(t.Context(), limit, func(root *os.Root, name string) error {
		err := root.Remove(name)
		if tried = append(tried, name); name == "a.mp3" {
			for _, extension := range []string{".mime", ".mp3", ".json"} {
				d.write(t, speech+"a"+extension, 0)
			}
		}
		return err
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a.mp3"}, tried)
	require.Zero(t, removed.Failed, removed.Failure)
	require.Equal(t, append(folders[:3:3], speech+"a.json", speech+"a.mime", speech+"a.mp3"), d.left(t))
}

func TestRemoveOldEndsWithItsContext(t *testing.T) {
	t.Parallel()
	d := newData(t, speech+"a.mp3")
	before := d.left(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	removed, err := d.cache().RemoveOld(ctx, limit)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, removed)
	require.Equal(t, before, d.left(t))
}

func without(names []string, name string) (rest []string) {
	for _, other := range names {
		if other != name {
			rest = append(rest, other)
		}
	}
	return rest
}
