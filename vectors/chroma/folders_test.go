package chroma_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

// folderOf is the folder of a collection's vectors.
func (b *beside) folderOf(t testing.TB, name string) string {
	t.Helper()
	folder := value[string](t, b.sql(t), `SELECT s.id FROM segments s JOIN collections c ON c.id = s.collection WHERE s.scope = 'VECTOR' AND c.name = ?`, name)
	require.DirExists(t, filepath.Join(b.dir, folder))
	return folder
}

// entries is what lies in the folder of Chroma, but for its database.
func (b *beside) entries(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(b.dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "chroma.sqlite3") {
			names = append(names, entry.Name())
		}
	}
	return names
}

// leave makes a folder as Chroma leaves it behind.
func (b *beside) leave(t testing.TB, name string) string {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, name), 0o755))
	for _, file := range []string{"data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin", "link_lists.bin"} {
		require.NoError(t, os.WriteFile(filepath.Join(b.dir, name, file), []byte("vectors"), 0o600))
	}
	return name
}

func leftovers(t testing.TB, store *chroma.Embedded) (names []string, folders int64) {
	t.Helper()
	list, folders, err := store.Leftovers(t.Context())
	require.NoError(t, err)
	for _, left := range list {
		require.NoError(t, left.Err)
		names = append(names, left.Folder)
	}
	return names, folders
}

// removed are the folders that a removal removed.
func removed(t testing.TB, store *chroma.Embedded, minAge time.Duration, folders ...string) (names []string) {
	t.Helper()
	list, err := store.RemoveLeftovers(t.Context(), folders, minAge)
	require.NoError(t, err)
	for _, left := range list {
		require.NoError(t, left.Err)
		names = append(names, left.Folder)
	}
	return names
}

// Chroma itself leaves the folders of dropped collections behind. Exactly those go, while
// it answers, and it answers and writes as before.
func TestFoldersOfDroppedCollectionsGo(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	store := newEmbedded(t, b.dir)
	living := []string{vectorstest.Base, vectors.FileCollection(uuid.NewString()), "a-plugin"}
	for _, name := range living {
		b.insert(t, vectorstest.MakeChunks(large, name, "a")...)
	}
	kept := b.entries(t)
	b.create(t, "empty")
	require.Len(t, kept, len(living))
	require.Equal(t, kept, b.entries(t), "a segment is older than its folder")
	var dropped []string
	for range 3 {
		name := uuid.NewString()
		b.insert(t, vectorstest.MakeChunks(30, name, "b")...)
		dropped = append(dropped, b.folderOf(t, name))
		b.drop(t, name)
	}
	slices.Sort(dropped)
	before := b.query(t, living[0], 3, 50)
	require.Len(t, b.entries(t), 6, "Chroma left them behind")

	names, folders := leftovers(t, store)
	require.Equal(t, dropped, names)
	require.EqualValues(t, 6, folders)
	require.Len(t, b.entries(t), 6, "a look removes nothing")
	list, err := store.RemoveLeftovers(t.Context(), append(slices.Clone(dropped), kept...), 0)
	require.NoError(t, err)
	require.Len(t, list, len(dropped))
	for _, left := range list {
		require.NoError(t, left.Err)
		require.Greater(t, left.Bytes, int64(1000))
	}
	require.Equal(t, kept, b.entries(t))

	check := func() {
		t.Helper()
		require.Equal(t, before, b.query(t, living[0], 3, 50))
		for _, name := range living {
			b.insert(t, vectorstest.MakeChunks(5, name, "c")...)
			require.Len(t, b.query(t, name, 3, 100), 100)
		}
		before = b.query(t, living[0], 3, 50)
	}
	check()
	b.restart(t)
	check()
	b.insert(t, vectorstest.MakeChunks(large, "made-later", "d")...)
	require.Len(t, b.query(t, "made-later", 3, 100), 100)
	b.folderOf(t, "made-later")
	names, folders = leftovers(t, store)
	require.Empty(t, names)
	require.EqualValues(t, 4, folders)
}

// What is no folder, is not called as Chroma calls them, or is named by a segment, of
// whatever tenant, is never a leftover.
func TestFoldersOfOthersStay(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, "a")...)
	other := newDatabase(t, b.server)
	other.insert(t, vectorstest.MakeChunks(3, "in-another-database", "a")...)
	store := newEmbedded(t, b.dir)
	outside := t.TempDir()
	inside := filepath.Join(outside, "kept")
	require.NoError(t, os.WriteFile(inside, []byte("x"), 0o600))

	gone := b.leave(t, uuid.NewString())
	require.NoError(t, os.Symlink(outside, filepath.Join(b.dir, gone, "link")))
	b.leave(t, strings.ToUpper(uuid.NewString()))
	b.leave(t, strings.ReplaceAll(uuid.NewString(), "-", ""))
	b.leave(t, "{"+uuid.NewString()+"}")
	b.leave(t, uuid.NewString()+".bak")
	b.leave(t, "backup")
	link, file := uuid.NewString(), uuid.NewString()
	require.NoError(t, os.Symlink(outside, filepath.Join(b.dir, link)))
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, file), []byte("x"), 0o600))
	nested := filepath.Join("backup", uuid.NewString())
	b.leave(t, nested)
	upper := strings.ToUpper(uuid.NewString())
	spelled := b.leave(t, strings.ToLower(upper))
	_, err := b.sql(t).Exec("INSERT INTO segments VALUES (?, 'urn:chroma:segment/vector/hnsw-local-persisted', 'VECTOR', ?)", upper, uuid.NewString())
	require.NoError(t, err)
	before := b.entries(t)

	names, folders := leftovers(t, store)
	require.Equal(t, []string{gone}, names)
	require.EqualValues(t, 4, folders, "two that segments of Chroma name, one that a segment names in other letters, and one of nobody's")
	require.Equal(t, []string{gone}, removed(t, store, 0, gone, link, file, spelled, uuid.NewString()))
	require.Equal(t, slices.DeleteFunc(before, func(name string) bool { return name == gone }), b.entries(t))
	require.FileExists(t, inside)
	require.DirExists(t, filepath.Join(b.dir, nested))
	for _, name := range []string{strings.ToUpper(gone), "backup", "..", ".", "", nested, gone + "/"} {
		_, err := store.RemoveLeftovers(t.Context(), []string{name}, 0)
		require.ErrorContains(t, err, "no name of a segment's folder", name)
	}
}

// The younger of the times counts, of the folder and of all that is in it.
func TestFoldersThatWereTouchedStay(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, "a")...)
	store := newEmbedded(t, b.dir)
	old, inside, itself, copied := b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString())
	all := []string{old, inside, itself, copied}
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, inside, "deep"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, inside, "deep", "file"), nil, 0o600))
	long := time.Now().Add(-1000 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(b.dir, copied), long, long))
	require.Empty(t, removed(t, store, time.Hour, all...), "they were made, or copied, just now")

	const ahead = 48 * time.Hour
	store.SetClock(ahead)
	lately := time.Now().Add(ahead - time.Minute)
	require.NoError(t, os.Chtimes(filepath.Join(b.dir, inside, "deep", "file"), lately, lately))
	require.NoError(t, os.Chtimes(filepath.Join(b.dir, itself), lately, lately))
	list, _, err := store.Leftovers(t.Context())
	require.NoError(t, err)
	for _, left := range list {
		young := left.Folder == inside || left.Folder == itself
		require.Equal(t, young, left.Age < time.Hour, left.Folder)
		require.Less(t, left.Age, ahead+time.Hour)
	}
	require.ElementsMatch(t, []string{old, copied}, removed(t, store, 24*time.Hour, all...))
	require.DirExists(t, filepath.Join(b.dir, inside))
	require.DirExists(t, filepath.Join(b.dir, itself))
}

// A segment that comes after the folder was listed, or seen for its removal, keeps it.
func TestSegmentThatComesMeanwhileKeepsItsFolder(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, "a")...)
	store := newEmbedded(t, b.dir)
	first, second, gone := b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString())
	add := func(segment string) {
		_, err := b.sql(t).Exec("INSERT INTO segments VALUES (?, 'urn:chroma:segment/vector/hnsw-local-persisted', 'VECTOR', ?)", segment, uuid.NewString())
		require.NoError(t, err)
	}
	names, _ := leftovers(t, store)
	require.ElementsMatch(t, []string{first, second, gone}, names)
	add(first)
	store.SetSeen(func() { add(second) })
	require.Equal(t, []string{gone}, removed(t, store, 0, names...))
	require.DirExists(t, filepath.Join(b.dir, first))
	require.DirExists(t, filepath.Join(b.dir, second))
	require.NoDirExists(t, filepath.Join(b.dir, gone))

	// Nor is a folder removed through a link that takes its place.
	store.SetSeen(func() {})
	swapped, outside := b.leave(t, uuid.NewString()), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "kept"), nil, 0o600))
	store.SetSeen(func() {
		require.NoError(t, os.RemoveAll(filepath.Join(b.dir, swapped)))
		require.NoError(t, os.Symlink(outside, filepath.Join(b.dir, swapped)))
	})
	_, err := store.RemoveLeftovers(t.Context(), []string{swapped}, 0)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(outside, "kept"))
}

// Where nobody can say which folders are in use none is a leftover.
func TestFoldersStayWhereNothingIsKnownOfSegments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alter []string
		want  string // part of the error; empty for none
	}{
		"no segment":        {[]string{"DELETE FROM segments"}, ""},
		"another schema":    {[]string{"ALTER TABLE segments ADD COLUMN more TEXT"}, "table segments has columns"},
		"a newer migration": {[]string{"INSERT INTO migrations VALUES ('sysdb', 11, '00011-new.sqlite.sql', '', 'x')"}, "is unknown"},
		"an odd segment":    {[]string{"INSERT INTO segments VALUES ('odd', '', 'VECTOR', '')"}, `segment "odd" has no UUID`},
		"no id":             {[]string{"INSERT INTO segments VALUES (NULL, '', 'VECTOR', '')"}, "another type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := runBeside(t)
			b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, "a")...)
			left := b.leave(t, uuid.NewString())
			before := b.entries(t)
			b.Stop(t)
			for _, alter := range c.alter {
				_, err := b.sql(t).Exec(alter)
				require.NoError(t, err)
			}
			store := newEmbedded(t, b.dir)
			list, _, err := store.Leftovers(t.Context())
			require.Empty(t, list)
			gone, errs := store.RemoveLeftovers(t.Context(), []string{left}, 0)
			require.Empty(t, gone)
			for _, err := range []error{err, errs} {
				if c.want == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, vectors.ErrUnusable)
				require.ErrorContains(t, err, c.want)
			}
			require.Equal(t, before, b.entries(t))
		})
	}
	t.Run("no database", func(t *testing.T) {
		t.Parallel()
		b := &beside{dir: t.TempDir()}
		left := b.leave(t, uuid.NewString())
		store := newEmbedded(t, b.dir)
		names, folders := leftovers(t, store)
		require.Empty(t, names)
		require.Zero(t, folders)
		require.Empty(t, removed(t, store, 0, left))
		require.Equal(t, []string{left}, b.entries(t))
	})
}

// A folder that cannot be removed is told, and stops no other; what is left of it goes
// later.
func TestFolderThatCannotBeRemovedIsTold(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, "a")...)
	store := newEmbedded(t, b.dir)
	all := []string{b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString()), b.leave(t, uuid.NewString())}
	stuck, denied := all[1], errors.New("denied")
	store.SetRemove(func(root *os.Root, name string) error {
		if name == stuck {
			return errors.Join(root.Remove(filepath.Join(name, "header.bin")), denied)
		}
		return root.RemoveAll(name)
	})
	list, err := store.RemoveLeftovers(t.Context(), all, 0)
	require.NoError(t, err)
	require.Len(t, list, 3)
	for _, left := range list {
		require.Equal(t, left.Folder == stuck, errors.Is(left.Err, denied))
	}
	names, _ := leftovers(t, store)
	require.Equal(t, []string{stuck}, names, "the others are gone, and what is left of it is found again")
	store.SetRemove((*os.Root).RemoveAll)
	require.Equal(t, all[1:2], removed(t, store, 0, all...))
	require.Len(t, b.entries(t), 1)
}

// A removal takes turns with what Chroma writes: it waits for its transactions as ours do.
func TestRemovalOfFoldersWaitsForChroma(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, "a")...)
	left := b.leave(t, uuid.NewString())
	conn, err := b.sql(t).Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	store := newEmbedded(t, b.dir)
	store.SetPatience(10 * time.Millisecond)
	_, err = store.RemoveLeftovers(t.Context(), []string{left}, 0)
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "locked by another process")
	require.DirExists(t, filepath.Join(b.dir, left))
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.Equal(t, []string{left}, removed(t, store, 0, left))
}
