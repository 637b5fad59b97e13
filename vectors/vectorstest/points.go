package vectorstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

func (f Fixture) removePoints(t *testing.T, collection string, ids []string) (removed vectors.Removed) {
	t.Helper()
	f.inTx(t, func(ctx context.Context, tx vectors.Tx) {
		var err error
		removed, err = f.collectionStore().RemovePoints(ctx, tx, collection, ids, f.allowing())
		require.NoError(t, err)
	})
	return removed
}

// removeAllPoints asks again for what waits, until nothing does.
func (f Fixture) removeAllPoints(t *testing.T, collection string, ids []string) (points int64) {
	t.Helper()
	return f.removeUntilGone(t, ids, func(t *testing.T, ids []string) vectors.Removed {
		t.Helper()
		return f.removePoints(t, collection, ids)
	})
}

// pointsOf are points of a collection, by their ids, as the application stores memories.
func pointsOf(collection string, ids ...string) (chunks []Chunk) {
	for _, id := range ids {
		chunks = append(chunks, Chunk{ID: id, Collection: collection, Unnamed: true})
	}
	return chunks
}

// takenIDs are the chunks whose ids the store can have.
func (f Fixture) takenIDs(chunks []Chunk) []Chunk {
	return slices.DeleteFunc(chunks, func(c Chunk) bool { return f.TakesID != nil && !f.TakesID(c.ID) })
}

// removesPoints: of the same id in another collection nothing goes, and nothing by an id
// that is only similar.
func removesPoints(t *testing.T, f Fixture) {
	memory, other := "user-memory-"+uuid.NewString(), "user-memory-"+uuid.NewString()
	going := pointsOf(memory, append(f.pointIDs(odd...), uuid.NewString())...)
	names := pointsOf(vectors.KnowledgeNames, uuid.NewString(), uuid.NewString())
	staying := pointsOf(other, uuid.NewString(), uuid.NewString())
	similar := slices.DeleteFunc(similarIDs(), func(id string) bool { return id == "" || slices.Contains(odd, id) })
	staying = append(staying, pointsOf(memory, f.pointIDs(similar...)...)...)
	going, staying = f.takenIDs(going), f.takenIDs(staying)
	f.Insert(t, slices.Concat(going, names, staying)...)

	asked := slices.Concat(f.pointIDs(odd...), idsOf(going), idsOf(going[:2]), idsOf(staying[:2]), idsOf(names), []string{uuid.NewString()})
	require.EqualValues(t, len(going), f.removeAllPoints(t, memory, asked))
	f.requireHeld(t, append(names, staying...))
	require.Zero(t, f.removePoints(t, memory, asked), "the second time")
	require.Zero(t, f.removePoints(t, memory, nil))
	require.Zero(t, f.removePoints(t, "user-memory-"+uuid.NewString(), asked), "a collection that is not there")

	require.EqualValues(t, 1, f.removeAllPoints(t, vectors.KnowledgeNames, idsOf(names[:1])))
	staying = append(staying, names[1:]...)
	f.requireHeld(t, staying)
	f.Insert(t, going[0], names[0])
	f.requireHeld(t, append(staying, going[0], names[0]))
}

// removesManyPoints removes more than a store does by one request.
func removesManyPoints(t *testing.T, f Fixture) {
	memory := "user-memory-" + uuid.NewString()
	var ids []string
	for n := range 2500 {
		ids = append(ids, f.pointID(fmt.Sprint("m", n)))
	}
	points := pointsOf(memory, ids...)
	f.Insert(t, points...)
	require.EqualValues(t, 2400, f.removeAllPoints(t, memory, ids[100:]))
	f.requireHeld(t, points[:100])
}

var errGuard = errors.New("the database does not answer")

func failingGuard(context.Context, []string) ([]string, error) { return nil, errGuard }

// keeping is a guard that lets all but these go, and notes what it was asked about.
func keeping(kept []string, asked map[string]bool) vectors.Guard {
	return func(_ context.Context, ids []string) (may []string, err error) {
		for _, id := range ids {
			if asked[id] = true; !slices.Contains(kept, id) {
				may = append(may, id)
			}
		}
		return may, nil
	}
}

// asksAboutPoints: what the guard keeps stays, and is not waited for.
func asksAboutPoints(t *testing.T, f Fixture) {
	if f.Begin != nil {
		return // the transaction has the rows
	}
	memory := "user-memory-" + uuid.NewString()
	points := pointsOf(memory, f.pointIDs("a", "b", "c", "d", "e")...)
	f.Insert(t, points...)
	ids := idsOf(points)
	_, err := f.collectionStore().RemovePoints(t.Context(), nil, memory, ids, failingGuard)
	require.ErrorIs(t, err, errGuard)
	f.requireHeld(t, points)

	asked := map[string]bool{}
	removed, err := f.collectionStore().RemovePoints(t.Context(), nil, memory, append(ids, f.pointID("z")), keeping([]string{ids[1], ids[3]}, asked))
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks)
	require.ElementsMatch(t, ids, sortedKeys(asked), "about what is there")
	if len(removed.Waiting) > 0 {
		require.ElementsMatch(t, []string{ids[0], ids[2], ids[4]}, removed.Waiting)
		f.Apply(t)
	}
	f.requireHeld(t, []Chunk{points[1], points[3]})
}

// listPoints are the ids of the points that the store lists, each once.
func (f Fixture) listPoints(t *testing.T, collections ...string) map[vectors.Point]bool {
	t.Helper()
	got := map[vectors.Point]bool{}
	for p, err := range f.collectionStore().ListPoints(t.Context(), collections) {
		require.NoError(t, err)
		require.False(t, got[p], "once: %v", p)
		got[p] = true
	}
	return got
}

// requirePoints says that the store lists the points of these chunks, and no others, when
// it is asked about their collections.
func (f Fixture) requirePoints(t *testing.T, chunks []Chunk) {
	t.Helper()
	want, names := map[vectors.Point]bool{}, map[string]bool{}
	for _, c := range chunks {
		if vectors.IsListed(c.Collection) {
			want[vectors.Point{Collection: c.Collection, ID: c.ID}], names[c.Collection] = true, true
		}
	}
	require.Equal(t, want, f.listPoints(t, sortedKeys(names)...))
}

func listsPoints(t *testing.T, f Fixture) {
	require.Empty(t, f.listPoints(t))
	absent := "user-memory-" + uuid.NewString()
	require.Empty(t, f.listPoints(t, absent))
	chunks, names := f.mixedCollections()
	f.Insert(t, chunks...)
	f.requirePoints(t, chunks)
	some, _ := splitByCollection(chunks, names)
	f.requirePoints(t, some)
	require.Len(t, f.listPoints(t, append(names, names[0], absent)...), len(some))
	f.removeCollections(t, names)
	require.Empty(t, f.listPoints(t, names...))
	for n := range 3 {
		for _, err := range f.collectionStore().ListPoints(t.Context(), []string{vectors.KnowledgeNames, some[0].Collection}) {
			require.NoError(t, err)
			if n--; n < 0 {
				break
			}
		}
	}
}

// listsPointsOfMany has more than a page of points in one collection, before and after
// others.
func listsPointsOfMany(t *testing.T, f Fixture) {
	var chunks []Chunk
	for c, n := range []int{1, 700, 2100, 3} {
		name := fmt.Sprintf("%08x-0000-4000-8000-000000000000", c)
		for p := range n {
			chunks = append(chunks, pointsOf(name, f.pointID(fmt.Sprintf("%d-%d", c, p)))...)
		}
	}
	f.Insert(t, chunks...)
	f.requirePoints(t, chunks)
}

// skipsHeldPoints holds two points, which wait.
func skipsHeldPoints(t *testing.T, f Fixture) {
	memory := "user-memory-" + uuid.NewString()
	points := pointsOf(memory, "a", "b", "c", "d", "e", "f", "g")
	f.Insert(t, points...)
	release := []func(){f.Hold(t, "b"), f.Hold(t, "f")}
	removed := f.removePoints(t, memory, idsOf(points))
	require.EqualValues(t, 5, removed.Chunks)
	require.ElementsMatch(t, []string{"b", "f"}, removed.Waiting)
	f.requireHeld(t, []Chunk{points[1], points[5]})
	for _, let := range release {
		let()
	}
	require.Equal(t, vectors.Removed{Chunks: 2}, f.removePoints(t, memory, removed.Waiting))
	f.requireHeld(t, nil)
}
