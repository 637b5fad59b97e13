package vectorstest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// addCollectionCases adds those of a vectors.CollectionStore.
func addCollectionCases(cases map[string]func(*testing.T, Fixture), first Fixture) {
	maps.Copy(cases, map[string]func(*testing.T, Fixture){
		"collections: go whole":                      removesCollections,
		"collections: go without a transaction":      removesCollectionsWithoutTx,
		"collections: are taken by their very names": takesNamesAsTheyAre,
		"collections: the guard is asked":            asksAboutCollections,
		"collections: others are refused":            refusesOthersCollections,
		"collections: are listed":                    listsCollections,
		"collections: many are listed":               listsManyCollections,
		"points: go by their ids":                    removesPoints,
		"points: many go":                            removesManyPoints,
		"points: the guard is asked":                 asksAboutPoints,
		"points: are listed":                         listsPoints,
		"points: of many collections are listed":     listsPointsOfMany,
		"chunks: of knowledge bases are listed":      listsChunks,
		"chunks: of many files are listed":           listsChunksOfMany,
		"chunks: without metadata are nobody's":      leavesBareChunks,
		"points: without metadata go by their ids":   removesBarePoints,
	})
	if first.Begin != nil {
		cases["collections: come back with a rollback"] = rollsBackCollections
		cases["collections: what is held is not waited for"] = skipsHeldCollections
		cases["points: what is held is not waited for"] = skipsHeldPoints
	}
}

func (f Fixture) collectionStore() vectors.CollectionStore { return f.Store.(vectors.CollectionStore) }

// allowing is a guard that lets everything go, where the store asks one.
func (f Fixture) allowing() vectors.Guard {
	if f.Begin != nil {
		return nil
	}
	return vectors.AllowAll
}

func (f Fixture) removeCollections(t *testing.T, names []string) (removed vectors.Removed) {
	t.Helper()
	f.inTx(t, func(ctx context.Context, tx vectors.Tx) {
		var err error
		removed, err = f.collectionStore().RemoveCollections(ctx, tx, names, f.allowing())
		require.NoError(t, err)
	})
	return removed
}

// splitByCollection parts chunks by whether their collection is one of these.
func splitByCollection(chunks []Chunk, names []string) (in, out []Chunk) {
	for _, c := range chunks {
		if slices.Contains(names, c.Collection) {
			in = append(in, c)
		} else {
			out = append(out, c)
		}
	}
	return in, out
}

// mixedCollections are a store's chunks, and one collection of each sort that may go.
// Beside each stays one that is named nearly so.
func (f Fixture) mixedCollections() (chunks []Chunk, names []string) {
	w := f.newWorld()
	user := uuid.NewString()
	search := "web-search-" + user + "-0a1b"
	chunks = append(w.allChunks(),
		newChunk("user-memory-"+user, "", ""), newChunk("user-memory-"+user, "", ""), newChunk("user-memory-"+user+"0", "", ""),
		newChunk("user-memory-"+user[:35], "", ""), newChunk("User-memory-"+user, "", ""),
		newChunk(search, "", ""), newChunk(search+"0", "", ""), newChunk("web-search-"+user, "", ""))
	chunks = f.takenChunks(chunks)
	names = []string{"user-memory-" + user, search, w.bases[0], w.locked}
	for _, c := range w.staying {
		if len(c.Collection) == 63 {
			names = append(names, c.Collection) // the one of 64 stays
		}
	}
	return chunks, names
}

func removesCollections(t *testing.T, f Fixture) {
	chunks, names := f.mixedCollections()
	f.Insert(t, chunks...)
	going, staying := splitByCollection(chunks, names)
	absent := []string{"user-memory-" + uuid.NewString(), uuid.NewString()}
	require.Equal(t, vectors.Removed{Chunks: int64(len(going))}, f.removeCollections(t, slices.Concat(names, absent, names[:2])))
	f.requireHeld(t, staying)
	require.Zero(t, f.removeCollections(t, names), "the second time")
	require.Zero(t, f.removeCollections(t, absent))
	require.Zero(t, f.removeCollections(t, nil))
	f.requireHeld(t, staying)

	again := newChunk(names[0], "", "")
	f.Insert(t, again)
	f.requireHeld(t, append(staying, again))
}

func removesCollectionsWithoutTx(t *testing.T, f Fixture) {
	chunks, names := f.mixedCollections()
	f.Insert(t, chunks...)
	going, staying := splitByCollection(chunks, names)
	removed, err := f.collectionStore().RemoveCollections(t.Context(), nil, names, f.allowing())
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: int64(len(going))}, removed)
	f.requireHeld(t, staying)
}

// takesNamesAsTheyAre has users with odd ids. A name that the store cannot have is not
// there, and one that Open WebUI does not give is not asked for.
func takesNamesAsTheyAre(t *testing.T, f Fixture) {
	var names []string
	var going, staying []Chunk
	for _, user := range odd {
		name := "user-memory-" + user
		if vectors.IsListed(name) {
			names = append(names, name)
			going = append(going, f.takenChunks([]Chunk{newChunk(name, "", "")})...)
		}
	}
	for _, user := range similarIDs() {
		staying = append(staying, f.takenChunks([]Chunk{newChunk("user-memory-"+user, "", "")})...)
	}
	require.True(t, f.UUIDs || len(going) > 0)
	f.Insert(t, append(going, staying...)...)
	require.Equal(t, vectors.Removed{Chunks: int64(len(going))}, f.removeCollections(t, names))
	f.requireHeld(t, staying)
}

// refusesOthersCollections: nor does anything go that was asked for together with them.
func refusesOthersCollections(t *testing.T, f Fixture) {
	w := f.newWorld()
	chunks := slices.Concat(w.allChunks(), othersChunks(t, f, w.locked))
	f.Insert(t, chunks...)
	memory, store := "user-memory-"+w.locked, f.collectionStore()
	refused := slices.Concat(others, []string{vectors.FileCollection(w.locked), "file-of-a-plugin", "user-memory-", ""})
	f.inTx(t, func(ctx context.Context, tx vectors.Tx) {
		for _, name := range refused {
			quoted := fmt.Sprintf("collection %q", name)
			_, err := store.RemoveCollections(ctx, tx, []string{memory, name}, f.allowing())
			require.ErrorContains(t, err, quoted)
			_, err = store.RemovePoints(ctx, tx, name, idsOf(chunks), f.allowing())
			require.ErrorContains(t, err, quoted)
			err = nil
			for _, err = range store.ListPoints(ctx, []string{memory, name}) {
				require.ErrorContains(t, err, quoted)
			}
			require.Error(t, err)
		}
		_, err := store.RemoveCollections(ctx, tx, []string{memory, vectors.KnowledgeNames}, f.allowing())
		require.ErrorContains(t, err, vectors.KnowledgeNames)
	})
	f.requireHeld(t, chunks)
}

func idsOf(chunks []Chunk) (ids []string) {
	for _, c := range chunks {
		ids = append(ids, c.ID)
	}
	return ids
}

// requireCollections says that the store lists exactly the collections of these chunks
// that are Open WebUI's and no file's own, each once, and counts right where it does.
func (f Fixture) requireCollections(t *testing.T, chunks []Chunk) {
	t.Helper()
	want := map[string]int64{}
	for _, c := range chunks {
		if vectors.IsListed(c.Collection) {
			want[c.Collection]++
		}
	}
	got := map[string]int64{}
	for c, err := range f.collectionStore().ListCollections(t.Context()) {
		require.NoError(t, err)
		_, listed := got[c.Name]
		require.False(t, listed, "once: %s", c.Name)
		got[c.Name] = c.Chunks
		if c.Chunks != 0 {
			require.Equal(t, want[c.Name], c.Chunks, c.Name)
		}
	}
	require.Equal(t, sortedKeys(want), sortedKeys(got))
}

func listsCollections(t *testing.T, f Fixture) {
	f.requireCollections(t, nil)
	chunks, names := f.mixedCollections()
	chunks = append(chunks, othersChunks(t, f, uuid.NewString())...)
	f.Insert(t, chunks...)
	f.requireCollections(t, chunks)
	f.removeCollections(t, names)
	_, staying := splitByCollection(chunks, names)
	f.requireCollections(t, staying)
}

// listsManyCollections also goes on working when the listing was left, and when the store
// is asked for something else on the way.
func listsManyCollections(t *testing.T, f Fixture) {
	var chunks []Chunk
	for n := range f.manyCollections(520) {
		if n%20 == 0 {
			chunks = append(chunks, newChunk(vectors.FileCollection(uuid.NewString()), "", ""))
		}
		chunks = append(chunks, newChunk("user-memory-"+uuid.NewString(), "", ""))
	}
	f.Insert(t, chunks...)
	f.requireCollections(t, chunks)
	for n := range 3 {
		for c, err := range f.collectionStore().ListCollections(t.Context()) {
			require.NoError(t, err)
			require.Len(t, f.listPoints(t, c.Name), 1)
			if n--; n < 0 {
				break
			}
		}
	}
	f.requirePoints(t, chunks)
}

// asksAboutCollections: what the guard keeps stays, and is not waited for.
func asksAboutCollections(t *testing.T, f Fixture) {
	if f.Begin != nil {
		return // the transaction has the rows
	}
	chunks, names := f.mixedCollections()
	f.Insert(t, chunks...)
	_, err := f.collectionStore().RemoveCollections(t.Context(), nil, names, failingGuard)
	require.ErrorIs(t, err, errGuard)
	f.requireHeld(t, chunks)

	kept := names[1:3]
	going, _ := splitByCollection(chunks, slices.Concat(names[:1], names[3:]))
	_, staying := splitByCollection(chunks, slices.Concat(names[:1], names[3:]))
	asked := map[string]bool{}
	removed, err := f.collectionStore().RemoveCollections(t.Context(), nil, names, keeping(kept, asked))
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: int64(len(going))}, removed)
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(asked)))
	f.requireHeld(t, staying)
}

func rollsBackCollections(t *testing.T, f Fixture) {
	chunks, names := f.mixedCollections()
	f.Insert(t, chunks...)
	going, staying := splitByCollection(chunks, names)
	tx := f.Begin(t)
	removed, err := f.collectionStore().RemoveCollections(t.Context(), tx, names, nil)
	require.NoError(t, err)
	require.EqualValues(t, len(going), removed.Chunks)
	base := staying[slices.IndexFunc(staying, func(c Chunk) bool { return vectors.IsListed(c.Collection) })].Collection
	points, err := f.collectionStore().RemovePoints(t.Context(), tx, base, idsOf(chunks), nil)
	require.NoError(t, err)
	require.Positive(t, points.Chunks)
	require.NoError(t, tx.Rollback(t.Context()))
	f.requireHeld(t, chunks)
}

// skipsHeldCollections holds one chunk of two of them: these wait, with what is held.
func skipsHeldCollections(t *testing.T, f Fixture) {
	chunks, names := f.mixedCollections()
	f.Insert(t, chunks...)
	going, staying := splitByCollection(chunks, names)
	held, waiting := []Chunk{}, []string{names[1], names[2]}
	var release []func()
	for _, name := range waiting {
		one := going[slices.IndexFunc(going, func(c Chunk) bool { return c.Collection == name })]
		held = append(held, one)
		release = append(release, f.Hold(t, one.ID))
	}
	removed := f.removeCollections(t, names)
	require.EqualValues(t, len(going)-len(held), removed.Chunks)
	require.ElementsMatch(t, waiting, removed.Waiting)
	f.requireHeld(t, append(staying, held...))
	for _, let := range release {
		let()
	}
	require.Equal(t, vectors.Removed{Chunks: int64(len(held))}, f.removeCollections(t, removed.Waiting))
	f.requireHeld(t, staying)
}
