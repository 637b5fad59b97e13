// Package blobstest is the one suite that every store of bytes passes.
//
// Its central idea is to say what must be left: each case fills an empty store with
// the objects of files and with everything that looks like them, and compares what
// the store holds afterwards with what it should. It knows stores by their contract
// only.
package blobstest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Fixture is one case's own store, empty, and the ways round its contract.
type Fixture struct {
	Store repo.Blobs
	// Put stores an object of these bytes, as the application or a plugin does.
	Put func(t testing.TB, name, content string)
	// Left lists the names of all objects that are there, in any order.
	Left func(t testing.TB) []string
	// Takes says whether the store can have an object of this name; nil where it
	// takes any.
	Takes func(name string) bool
	// Outside are names that leave the store or name no plain object, beside those
	// that no store has.
	Outside []string
	// Many is how many objects are more than one request lists; 3000 where it is zero.
	Many int
}

const (
	fileID  = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	otherID = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c12"
	content = "bytes"
)

// Run runs the suite; open makes the fixture of one case.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, Fixture){
		"finds the objects of ids":         findsObjects,
		"finds nothing for what is no id":  findsNothing,
		"finds among many":                 findsAmongMany,
		"lists whose objects they are":     listsOwners,
		"lists what it finds":              listsFound,
		"lists as far as wanted":           listsAsFarAsWanted,
		"tells the size and age of one":    tellsSizeAndAge,
		"reads one":                        readsOne,
		"removes a set":                    removesSet,
		"judges every object alone":        judgesAlone,
		"leaves nothing behind by a check": leavesNothingByCheck,
		"fails when it was closed":         failsClosed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
}

// putObjects stores objects under those of the names that the store can have, and returns
// these.
func (f Fixture) putObjects(t *testing.T, names ...string) []string {
	t.Helper()
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return f.Takes != nil && !f.Takes(name) })
	for _, name := range names {
		f.Put(t, name, content)
	}
	return names
}

// findNames returns the names of the objects of each id, in order.
func (f Fixture) findNames(t *testing.T, ids ...string) map[string][]string {
	t.Helper()
	found, err := f.Store.Find(t.Context(), ids)
	require.NoError(t, err)
	names := map[string][]string{}
	for id, list := range found {
		for _, blob := range list {
			names[id] = append(names[id], blob.Name)
		}
		slices.Sort(names[id])
	}
	return names
}

// listAll returns what the store lists, by name.
func (f Fixture) listAll(t *testing.T) map[string]repo.Listed {
	t.Helper()
	listed := map[string]repo.Listed{}
	for one, err := range f.Store.List(t.Context()) {
		require.NoError(t, err)
		require.NotContains(t, listed, one.Name)
		listed[one.Name] = one
	}
	return listed
}

// objectOwners are names of objects, and whose they are.
var objectOwners = map[string]string{
	fileID: fileID, fileID + ".pdf": fileID, fileID + "_": fileID, fileID + "_a.b c.pdf": fileID,
	fileID + "_" + otherID: fileID, fileID + "_ünïcödé.pdf": fileID,
	otherID: otherID, otherID + "_" + fileID + ".pdf": otherID, strings.ToUpper(fileID) + "_a": strings.ToUpper(fileID),
}

// strangers are names that are nearly one of an object.
var strangers = []string{
	fileID + "x", fileID + "-_a", fileID + " _a", fileID[:35] + "_a", "x" + fileID, fileID[1:] + "_a",
	strings.ReplaceAll(fileID, "-", "_"), strings.ReplaceAll(fileID, "-", ""),
	"notes.txt", ".hidden", "_" + fileID, fileID[:8], "no-uuid_a.pdf", "no-uuid", fileID + "_\xff",
}

// fillStore stores objects of files beside strangers, and returns the owners of those
// that the store can have.
func (f Fixture) fillStore(t *testing.T) map[string]string {
	t.Helper()
	f.putObjects(t, strangers...)
	owners := map[string]string{}
	for _, name := range f.putObjects(t, slices.Collect(maps.Keys(objectOwners))...) {
		owners[name] = objectOwners[name]
	}
	return owners
}
