package chroma_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// byHash are the chunks that Open WebUI's duplicate check finds before it takes a text.
func (b *beside) byHash(t testing.TB, collection, hash string) []string {
	t.Helper()
	var found struct{ IDs []string }
	b.ask(t, http.MethodPost, "/"+b.database+"/collections/"+b.create(t, collection)+"/get",
		map[string]any{"where": map[string]any{"hash": hash}, "include": []string{}}, &found)
	return found.IDs
}

// hashed is many, of chunks whose text has a hash.
func hashed(n int, collection, file, hash string) []vectorstest.Chunk {
	chunks := vectorstest.MakeChunks(n, collection, file)
	for i := range chunks {
		chunks[i].Hash = hash
	}
	return chunks
}

func idsOf(chunks []vectorstest.Chunk) (ids []string) {
	for _, chunk := range chunks {
		ids = append(ids, chunk.ID)
	}
	return ids
}

// A text whose file was removed from a knowledge base can be uploaded to it again at once,
// also where Chroma started in between, and that upload carries out what waits. Others keep
// their hashes, in that collection and elsewhere.
func TestTextOfARemovedFileIsNoDuplicate(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(t *testing.T, b *beside){
		"while it runs": func(*testing.T, *beside) {},
		"after a start": func(t *testing.T, b *beside) {
			b.Restart(t)
			b.server = b.URL()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := runBeside(t)
			going, other := uuid.NewString(), uuid.NewString()
			b.insert(t, hashed(20, vectorstest.Base, going, "gone")...)
			stays := hashed(5, vectorstest.Base, other, "stays")
			b.insert(t, stays...)
			elsewhere := hashed(3, "of-a-plugin", going, "gone")
			b.insert(t, elsewhere...)
			require.Len(t, b.byHash(t, vectorstest.Base, "gone"), 20) // at the first read it would carry out what waits
			store := newEmbedded(t, b.dir)
			removed, err := store.Remove(t.Context(), nil, []string{going})
			require.NoError(t, err)
			require.Equal(t, vectors.Removed{Chunks: 20, Waiting: []string{going}}, removed)
			require.Len(t, b.ids(t, b.create(t, vectorstest.Base)), 25, "their deletion waits")
			between(t, b)
			require.Empty(t, b.byHash(t, vectorstest.Base, "gone"))
			require.ElementsMatch(t, idsOf(stays), b.byHash(t, vectorstest.Base, "stays"))
			require.ElementsMatch(t, idsOf(elsewhere), b.byHash(t, "of-a-plugin", "gone"))
			require.NotEmpty(t, b.query(t, vectorstest.Base, 3, 25))

			again := hashed(20, vectorstest.Base, uuid.NewString(), "gone")
			b.insert(t, again...)
			require.ElementsMatch(t, idsOf(again), b.byHash(t, vectorstest.Base, "gone"))
			b.requireOnly(t, append(again, stays...)...)
			b.Restart(t)
			b.server = b.URL()
			b.requireOnly(t, append(again, stays...)...)
			removed, err = store.Remove(t.Context(), nil, []string{going})
			require.NoError(t, err)
			require.Zero(t, removed)
			require.Equal(t, "ok", value[string](t, b.sql(t), "PRAGMA integrity_check"))
		})
	}
}

// requireOnly is what the knowledge base must hold, and find by vectors.
func (b *beside) requireOnly(t *testing.T, chunks ...vectorstest.Chunk) {
	t.Helper()
	require.ElementsMatch(t, idsOf(chunks), b.ids(t, b.create(t, vectorstest.Base)))
	var found []string
	for _, hit := range b.query(t, vectorstest.Base, 3, len(chunks)+50) {
		found = append(found, hit.id)
	}
	require.ElementsMatch(t, idsOf(chunks), found)
}

// What Chroma has in its index by then, and compacts later, is as it would be without.
func TestHashesOfAKnowledgeBaseThatIsCompacted(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	going, other := uuid.NewString(), uuid.NewString()
	b.insert(t, hashed(large, vectorstest.Base, going, "gone")...)
	stays := hashed(30, vectorstest.Base, other, "stays")
	b.insert(t, stays...)
	require.Len(t, b.byHash(t, vectorstest.Base, "gone"), large)
	store := newEmbedded(t, b.dir)
	_, err := store.Remove(t.Context(), nil, []string{going})
	require.NoError(t, err)
	require.Len(t, b.ids(t, b.create(t, vectorstest.Base)), large+30, "their deletion waits")
	require.Empty(t, b.byHash(t, vectorstest.Base, "gone"))
	again := hashed(large, vectorstest.Base, uuid.NewString(), "gone")
	b.insert(t, again...)
	require.Len(t, b.byHash(t, vectorstest.Base, "gone"), large)
	b.restart(t)
	require.ElementsMatch(t, idsOf(append(again, stays...)), b.ids(t, b.create(t, vectorstest.Base)))
	require.Len(t, b.query(t, vectorstest.Base, 3, 100), 100)
	require.Equal(t, "ok", value[string](t, b.sql(t), "PRAGMA integrity_check"))
}

// A file that must keep its chunks keeps their hashes.
func TestHashStaysWhereTheGuardSaysSo(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	file := uuid.NewString()
	kept := hashed(3, vectorstest.Base, file, "kept")
	b.insert(t, kept...)
	keepAll := func(context.Context, []string) ([]string, error) { return nil, nil }
	_, err := newEmbedded(t, b.dir).RemoveGuarded(t.Context(), []string{file}, keepAll)
	require.NoError(t, err)
	require.ElementsMatch(t, idsOf(kept), b.byHash(t, vectorstest.Base, "kept"))
}
