// Package vectorstest is the one suite that every vector store passes.
//
// Its central idea is to say what must be left: each case fills an empty store
// with the chunks of the files that go and with everything that looks like
// them, and compares what the store holds afterwards with what it should. It
// knows stores by their contract only.
package vectorstest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// Chunk is one stored piece of text.
type Chunk struct {
	ID         string
	Collection string
	FileID     string // in its metadata; none if empty
	Hash       string // of the whole text, in its metadata
	CreatedBy  string // in its metadata; none if empty
	Unnamed    bool   // its metadata has no name, as what plugins store
	Bare       bool   // it has no metadata, nor a text where a store has that among it
}

// Metadata is what the application, or a plugin, writes beside the text; nil is nothing.
func (c Chunk) Metadata() map[string]any {
	if c.Bare {
		return nil
	}
	m := map[string]any{"page": 7}
	if !c.Unnamed {
		m["name"] = "report.pdf"
	}
	for key, value := range map[string]string{"file_id": c.FileID, "hash": c.Hash, "created_by": c.CreatedBy} {
		if value != "" {
			m[key] = value
		}
	}
	return m
}

// Tx is a transaction that the suite can end.
type Tx interface {
	vectors.Tx
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Fixture is one case's own store, empty, and the ways round its contract.
type Fixture struct {
	Store  vectors.Store
	Insert func(t testing.TB, chunks ...Chunk)
	// Left lists the ids of all chunks that are there, in any order.
	Left func(t testing.TB) []string
	// Begin opens a transaction for the store to join, and Hold locks a chunk
	// in another session until release is called. Both are nil for a store
	// outside the database.
	Begin func(t testing.TB) Tx
	Hold  func(t testing.TB, chunk string) (release func())
	// Drop drops what the server keeps this collection in, if it is there, as somebody else
	// does. It waits where the store Locks what it asks the guard about.
	Drop  func(t testing.TB, collection string)
	Locks bool
	// Apply makes the store itself carry out what waits; nil where nothing
	// ever waits.
	Apply func(t testing.TB)
	// Takes says whether the store can have a collection of this name; nil
	// where it takes any.
	Takes func(collection string) bool
	// TakesID says the same of the id of a chunk.
	TakesID func(id string) bool
	// Strange is what the store calls a collection that is somebody else's; nil where it
	// has no name of its own for it.
	Strange func(collection string) string
	// UUIDs: ids of points are UUIDs, and no others can be stored; collections of ids that
	// are none may be none that can be told.
	UUIDs bool
	// Few: it costs the store seconds to make many collections.
	Few bool
}

// manyCollections is as many as a case makes that wants more than n, or fewer.
func (f Fixture) manyCollections(n int) int {
	if f.Few {
		return n / 20
	}
	return n
}

// pointID is an id that is spelt so where the store takes any, else a UUID of its own.
func (f Fixture) pointID(text string) string {
	if f.UUIDs {
		return uuid.NewSHA1(uuid.Nil, []byte(text)).String()
	}
	return text
}

func (f Fixture) pointIDs(texts ...string) (ids []string) {
	for _, text := range texts {
		ids = append(ids, f.pointID(text))
	}
	return ids
}

// caseTimeout is far more than anything takes; only a wait that would never end
// reaches it.
const caseTimeout = 5 * time.Minute

// Run runs the suite; open makes the fixture of one case.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	cases := map[string]func(*testing.T, Fixture){
		"leaves every other chunk":           leavesOthers,
		"removes without a transaction":      removesWithoutTx,
		"removes what is not there":          removesNothing,
		"does nothing for no files":          doesNothing,
		"takes ids as they are":              takesIDsAsTheyAre,
		"removes many files":                 removesMany,
		"removes many while others write":    removesManyBesideWriter,
		"asks the guard before it removes":   asksTheGuard,
		"finds others beside what is kept":   findsOthersBesideKept,
		"counts the collections of one file": countsCollections,
		"lists files":                        listsFiles,
		"lists odd ids":                      listsOddIDs,
		"lists many files":                   listsMany,
		"lists as far as wanted":             listsAsFarAsWanted,
		"says where chunks lie":              saysWhereChunksLie,

		"ownership: collections of others are never touched": leavesOthersCollections,
		"ownership: collections of others are told":          tellsOthersCollections,
	}
	first := open(t)
	isInOrder(t, first)
	if _, is := first.Store.(vectors.CollectionStore); is {
		addCollectionCases(cases, first)
	}
	if first.Begin != nil {
		cases["comes back with a rollback"] = rollsBack
		cases["does not wait for a chunk that is held"] = skipsHeld
		cases["does not wait for another worker"] = skipsWorker
	}
	if _, is := first.Store.(vectors.Measured); is {
		cases["counts every collection"] = countsEveryCollection
	}
	if first.Drop != nil {
		cases["removes beside drops"] = removesBesideDrops
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
}

// inTx runs fn in a transaction, which it commits, where the store is part of one.
func (f Fixture) inTx(t *testing.T, fn func(ctx context.Context, tx vectors.Tx)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	defer cancel()
	if f.Begin == nil {
		fn(ctx, nil)
		return
	}
	tx := f.Begin(t)
	fn(ctx, tx)
	require.NoError(t, tx.Commit(ctx))
}

// removeInTx does what a batch does: it leaves everything to Remove where the store is no
// part of its transaction.
func (f Fixture) removeInTx(t *testing.T, ids []string) (chunks int64, rest bool) {
	t.Helper()
	store, is := f.Store.(vectors.Transactional)
	if !is {
		return 0, len(ids) > 0
	}
	f.inTx(t, func(ctx context.Context, tx vectors.Tx) {
		var err error
		chunks, rest, err = store.RemoveInTx(ctx, tx, ids)
		require.NoError(t, err)
	})
	return chunks, rest
}

// removeAll does what an executor of tombstones does.
func (f Fixture) removeAll(t *testing.T, ids []string) (chunks int64) {
	t.Helper()
	return f.removeUntilGone(t, ids, f.removeOnce)
}

// removeUntilGone asks again for what waits, until nothing does.
func (f Fixture) removeUntilGone(t *testing.T, ids []string, once func(*testing.T, []string) vectors.Removed) (chunks int64) {
	t.Helper()
	removed := once(t, ids)
	if len(removed.Waiting) == 0 {
		return removed.Chunks
	}
	again := once(t, removed.Waiting)
	require.ElementsMatch(t, removed.Waiting, again.Waiting, "nobody has carried it out meanwhile")
	require.Zero(t, again.Chunks, "what waits is asked for once")
	require.NotNil(t, f.Apply, "nobody carries out what waits")
	f.Apply(t)
	require.Zero(t, once(t, removed.Waiting), "the store has carried it out")
	return removed.Chunks
}

func (f Fixture) removeOnce(t *testing.T, ids []string) (removed vectors.Removed) {
	t.Helper()
	f.inTx(t, func(ctx context.Context, tx vectors.Tx) {
		var err error
		removed, err = f.Store.Remove(ctx, tx, ids)
		require.NoError(t, err)
	})
	return removed
}

// removeFiles does what a batch does, and after it tombstones if there is a rest.
func (f Fixture) removeFiles(t *testing.T, ids []string) (chunks int64) {
	t.Helper()
	chunks, rest := f.removeInTx(t, ids)
	if rest {
		chunks += f.removeAll(t, ids)
	}
	return chunks
}

// takenChunks are the chunks whose collections the store can have.
func (f Fixture) takenChunks(chunks []Chunk) []Chunk {
	return slices.DeleteFunc(chunks, func(c Chunk) bool { return f.Takes != nil && !f.Takes(c.Collection) })
}

// requireHeld says that the store holds these chunks and no other.
func (f Fixture) requireHeld(t *testing.T, chunks []Chunk) {
	t.Helper()
	want := make([]string, len(chunks))
	for i, chunk := range chunks {
		want[i] = chunk.ID
	}
	require.ElementsMatch(t, want, f.Left(t))
}
