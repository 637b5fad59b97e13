package blobstest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

func findsObjects(t *testing.T, f Fixture) {
	want := map[string][]string{}
	for name, id := range f.fillStore(t) {
		want[id] = append(want[id], name)
	}
	for _, names := range want {
		slices.Sort(names)
	}
	require.Equal(t, want, f.findNames(t, slices.Collect(maps.Keys(want))...))
	require.Equal(t, map[string][]string{fileID: want[fileID]}, f.findNames(t, fileID))
	require.Empty(t, f.findNames(t, "6f1c1f6e-0000-4000-8000-000000000000"))
}

// findsNothing: any name could be that of an id that is no UUID.
func findsNothing(t *testing.T, f Fixture) {
	f.fillStore(t)
	require.Empty(t, f.findNames(t))
	require.Empty(t, f.findNames(t, "no-uuid", "", ".", "..", "../secret", fileID[:8], fileID[:35], "notes.txt", "*", fileID+"_a.b c.pdf"))
}

// manyNames are more than one request of any store lists.
func (f Fixture) manyNames() (names []string) {
	for n := range cmp.Or(f.Many, 3000) {
		names = append(names, otherID+"_"+strings.Repeat("x", n%100)+string(rune('a'+n/100)))
	}
	return names
}

func findsAmongMany(t *testing.T, f Fixture) {
	names := f.putObjects(t, f.manyNames()...)
	f.putObjects(t, fileID+"_a", fileID+"_\xff")
	require.Equal(t, []string{fileID + "_a"}, f.findNames(t, fileID)[fileID])
	require.Len(t, f.findNames(t, otherID)[otherID], len(names))
}

func listsOwners(t *testing.T, f Fixture) {
	require.Empty(t, f.listAll(t), "an empty store")
	owners := f.fillStore(t)
	got := map[string]string{}
	for name, one := range f.listAll(t) {
		got[name] = one.FileID
		require.EqualValues(t, len(content), one.Size)
		require.InDelta(t, 0, one.Age, float64(time.Minute))
	}
	require.Equal(t, owners, got)
}

// listsFound: List tells of a file what Find finds of it, also where there are many.
func listsFound(t *testing.T, f Fixture) {
	names := f.putObjects(t, append(f.manyNames(), fileID+"_a")...)
	listed := f.listAll(t)
	require.Len(t, listed, len(names))
	require.Equal(t, fileID, listed[fileID+"_a"].FileID)
	for _, name := range f.findNames(t, otherID)[otherID] {
		require.Equal(t, otherID, listed[name].FileID)
	}
}

func listsAsFarAsWanted(t *testing.T, f Fixture) {
	f.putObjects(t, fileID+"_a", fileID+"_b", fileID+"_c")
	n := 0
	for _, err := range f.Store.List(t.Context()) {
		require.NoError(t, err)
		if n++; n == 2 {
			break
		}
	}
	require.Equal(t, 2, n)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, lastError(f.Store.List(ended)), context.Canceled)
}

func lastError(list func(func(repo.Listed, error) bool)) (failed error) {
	for _, err := range list {
		failed = err
	}
	return failed
}

func tellsSizeAndAge(t *testing.T, f Fixture) {
	name := fileID + "_a"
	f.putObjects(t, name)
	found, err := f.Store.Find(t.Context(), []string{fileID})
	require.NoError(t, err)
	require.Len(t, found[fileID], 1)
	blob, there, err := f.Store.Stat(t.Context(), name)
	require.NoError(t, err)
	require.True(t, there)
	for _, b := range append(found[fileID], blob) {
		require.Equal(t, name, b.Name)
		require.EqualValues(t, len(content), b.Size)
		require.InDelta(t, 0, b.Age, float64(time.Minute))
	}
	_, there, err = f.Store.Stat(t.Context(), otherID)
	require.NoError(t, err)
	require.False(t, there)
}

func readsOne(t *testing.T, f Fixture) {
	f.putObjects(t, fileID+"_a", otherID+"_b")
	opened, err := f.Store.Open(t.Context(), fileID+"_a")
	require.NoError(t, err)
	read, err := io.ReadAll(opened)
	require.NoError(t, errors.Join(err, opened.Close()))
	require.Equal(t, content, string(read))
	opened, err = f.Store.Open(t.Context(), fileID+"_missing")
	require.NoError(t, err)
	require.Nil(t, opened)
	for _, name := range outside {
		opened, err = f.Store.Open(t.Context(), name)
		require.ErrorIs(t, err, repo.ErrOutside, "%q", name)
		require.Nil(t, opened, "%q", name)
	}
}

func removesSet(t *testing.T, f Fixture) {
	f.putObjects(t, fileID+"_a", fileID+"_b", otherID+"_c", "plain")
	names := []string{fileID + "_a", otherID + "_c", "plain"} // plugins name objects as they like
	for range 2 {
		failed, err := f.Store.Remove(t.Context(), names)
		require.NoError(t, err)
		require.Empty(t, failed, "nor the second time")
		require.Equal(t, []string{fileID + "_b"}, f.Left(t))
	}
	failed, err := f.Store.Remove(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Equal(t, []string{fileID + "_b"}, f.Left(t))
}

// outside are names that no store has.
var outside = []string{"", ".", "..", "/", "../secret", "./" + fileID + "_a", "folder/../" + fileID + "_a", "folder/", "a//b", "a/../b", "/" + fileID + "_a"}

// judgesAlone: names that leave the store fail, and keep no other from going.
func judgesAlone(t *testing.T, f Fixture) {
	f.putObjects(t, fileID+"_a", fileID+"_b")
	before := f.Left(t)
	names := slices.Concat(outside, f.Outside)
	for _, name := range names {
		failed, err := f.Store.Remove(t.Context(), []string{name})
		require.NoError(t, err, "%q", name)
		require.ErrorIs(t, failed[name], repo.ErrOutside, "%q", name)
	}
	for _, name := range outside {
		_, _, err := f.Store.Stat(t.Context(), name)
		require.ErrorIs(t, err, repo.ErrOutside, "%q", name)
	}
	require.ElementsMatch(t, before, f.Left(t))

	failed, err := f.Store.Remove(t.Context(), slices.Concat(names, []string{otherID + "_missing", fileID + "_a"}))
	require.NoError(t, err)
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(failed)))
	before = slices.DeleteFunc(before, func(name string) bool { return name == fileID+"_a" })
	require.ElementsMatch(t, before, f.Left(t))
}

func leavesNothingByCheck(t *testing.T, f Fixture) {
	require.NoError(t, f.Store.Check(t.Context()), "an empty store")
	f.putObjects(t, fileID+"_a")
	require.NoError(t, f.Store.Check(t.Context()))
	require.Equal(t, []string{fileID + "_a"}, f.Left(t))
}

// failsClosed: what cannot be asked is no store without objects, and nothing that
// was removed.
func failsClosed(t *testing.T, f Fixture) {
	f.putObjects(t, fileID+"_a")
	require.NotEmpty(t, f.Store.Info().Name)
	require.NoError(t, f.Store.Close())
	_, found := f.Store.Find(t.Context(), []string{fileID})
	_, _, seen := f.Store.Stat(t.Context(), fileID+"_a")
	_, opened := f.Store.Open(t.Context(), fileID+"_a")
	_, removed := f.Store.Remove(t.Context(), []string{fileID + "_a"})
	for what, err := range map[string]error{
		"find": found, "list": lastError(f.Store.List(t.Context())), "stat": seen, "open": opened, "check": f.Store.Check(t.Context()), "remove": removed,
	} {
		require.Error(t, err, what)
		require.Equal(t, repo.Environment, repo.KindOf(err), "%s: no file is to blame", what)
	}
	require.Equal(t, []string{fileID + "_a"}, f.Left(t))
}
