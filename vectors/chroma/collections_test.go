package chroma_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

func listNames(t *testing.T, store vectors.CollectionStore) (names []string) {
	t.Helper()
	for c, err := range store.ListCollections(t.Context()) {
		require.NoError(t, err)
		names = append(names, c.Name)
	}
	return names
}

func countPoints(t *testing.T, store vectors.CollectionStore, names ...string) map[string]int {
	t.Helper()
	points, seen := map[string]int{}, map[vectors.Point]bool{}
	for p, err := range store.ListPoints(t.Context(), names) {
		require.NoError(t, err)
		require.False(t, seen[p], "once: %v", p)
		seen[p] = true
		points[p.Collection]++
	}
	return points
}

// Single points of a collection that stays go when Chroma next writes there, out of its
// index of vectors too, and are asked for once. A database of the same Chroma that is not
// ours has the same names, and keeps everything.
func TestPointsBesideARunningChroma(t *testing.T) {
	t.Parallel()
	p := populate(t)
	theirs := newDatabase(t, p.server)
	memory, whole := "user-memory-"+uuid.NewString(), "user-memory-"+uuid.NewString()
	points, other := vectorstest.MakeChunks(large, memory, ""), vectorstest.MakeChunks(30, whole, "")
	for _, db := range []api{p.api, theirs} {
		db.insert(t, points...)
		db.insert(t, other...)
		db.query(t, memory, 3, 100) // the first time Chroma opens it, it would carry out what waits
	}
	store := newEmbedded(t, p.dir)
	require.ElementsMatch(t, []string{vectorstest.Base, memory, whole}, listNames(t, store))
	require.Equal(t, map[string]int{memory: large, whole: 30}, countPoints(t, store, memory, whole))

	var ids []string
	for _, one := range points[:300] {
		ids = append(ids, one.ID)
	}
	asked := func() int {
		return value[int](t, p.sql(t), `SELECT count(*) FROM embeddings_queue WHERE operation = 3`)
	}
	for n := range 2 {
		removed, err := store.RemovePoints(t.Context(), nil, memory, ids, vectors.AllowAll)
		require.NoError(t, err)
		require.ElementsMatch(t, ids, removed.Waiting)
		require.EqualValues(t, 300*(1-n), removed.Chunks)
		require.Equal(t, 300, asked(), "each is asked for once")
		require.Len(t, p.query(t, memory, 3, 100), 100)
	}
	p.insert(t, vectorstest.MakeChunks(1, memory, "")...)
	removed, err := store.RemovePoints(t.Context(), nil, memory, ids, vectors.AllowAll)
	require.NoError(t, err)
	require.Zero(t, removed)
	require.Len(t, p.ids(t, p.create(t, memory)), large-300+1)
	for _, found := range p.query(t, memory, 3, large) { // its graph of neighbours may miss some, and must not know those
		require.NotContains(t, ids, found.id)
	}

	removed, err = store.RemoveCollections(t.Context(), nil, []string{whole}, vectors.AllowAll)
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 30}, removed)
	require.NotContains(t, p.collections(t), whole)
	for range 2 {
		require.Len(t, theirs.left(t), large+30)
		require.Len(t, theirs.query(t, whole, 3, 30), 30)
		p.sound(t)
		p.intact(t)
		p.restart(t)
		theirs.server = p.server
	}
}

// The application makes the collection of names anew only when somebody asks it to: after a
// change of the model that embeds, its vectors have another dimension than all others. Its
// points are listed, and go, as those of other collections, and what stays answers.
func TestNamesOfKnowledgeBasesHaveAnotherDimension(t *testing.T) {
	t.Parallel()
	for _, embedded := range []bool{true, false} {
		b := runBeside(t)
		memory, stays, goes, file := "user-memory-"+uuid.NewString(), uuid.NewString(), uuid.NewString(), uuid.NewString()
		names := b.create(t, vectors.KnowledgeNames)
		b.ask(t, http.MethodPost, "/"+b.database+"/collections/"+names+"/add", map[string]any{"ids": []string{stays, goes}, "documents": []string{"one", "two"},
			"embeddings": [][]float32{{1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}}, "metadatas": []map[string]any{{"knowledge_base_id": stays}, nil}}, &struct{}{})
		b.insert(t, vectorstest.MakeChunks(20, memory, "")...)
		b.insert(t, vectorstest.MakeChunks(20, vectorstest.Base, file)...)
		var store vectors.CollectionStore = newServer(t, chroma.HTTPOptions{URL: b.server})
		if embedded {
			store = newEmbedded(t, b.dir)
		}
		require.ElementsMatch(t, []string{memory, vectorstest.Base, vectors.KnowledgeNames}, listNames(t, store))
		require.Equal(t, map[string]int{memory: 20, vectors.KnowledgeNames: 2}, countPoints(t, store, memory, vectors.KnowledgeNames))
		for found, err := range store.Files(t.Context()) {
			require.NoError(t, err)
			require.Equal(t, vectors.File{ID: file, Shared: vectorstest.Base, Chunks: 20}, found)
		}
		removed, err := store.RemovePoints(t.Context(), nil, vectors.KnowledgeNames, []string{goes}, vectors.AllowAll)
		require.NoError(t, err)
		require.EqualValues(t, 1, removed.Chunks)
		b.restart(t) // carries out what waits
		require.Equal(t, []string{stays}, b.ids(t, names))
		require.Len(t, b.query(t, memory, 3, 30), 20)
		require.Len(t, b.query(t, vectorstest.Base, 3, 30), 20)
	}
}

// What a crash left of a collection is listed, once, and cleared with whatever is removed
// next.
func TestCollectionLeftByACrash(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	left, again, stays := "user-memory-"+uuid.NewString(), "web-search-"+uuid.NewString(), "user-memory-"+uuid.NewString()
	for _, name := range []string{left, again, stays} {
		b.insert(t, vectorstest.MakeChunks(5, name, "")...)
	}
	db := b.sql(t)
	for _, statement := range []string{
		`INSERT INTO segment_metadata (segment_id, key, str_value) SELECT s.id, 'pruned:removing', c.name
		   FROM segments s JOIN collections c ON c.id = s.collection WHERE c.name IN (?, ?)`,
		`DELETE FROM collections WHERE name IN (?, ?)`,
	} {
		_, err := db.Exec(statement, left, again)
		require.NoError(t, err)
	}
	b.insert(t, vectorstest.MakeChunks(3, again, "")...)
	store := newEmbedded(t, b.dir)
	require.ElementsMatch(t, []string{left, again, stays}, listNames(t, store))
	require.Equal(t, map[string]int{again: 3, stays: 5}, countPoints(t, store, left, again, stays))
	removed, err := store.RemoveCollections(t.Context(), nil, []string{left}, vectors.AllowAll)
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 10}, removed)
	require.ElementsMatch(t, []string{again, stays}, listNames(t, store))
	b.restart(t)
	require.Len(t, b.left(t), 8)
	require.Zero(t, value[int](t, db, `SELECT count(*) FROM segment_metadata WHERE key = 'pruned:removing'`))
	require.Equal(t, 8, value[int](t, db, `SELECT count(*) FROM embeddings`))
}

// 3,000 collections, and pages of points that end within a collection, with one, and
// between two.
func TestManyCollectionsOfTheFile(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.create(t, "user-memory-0")
	b.Stop(t)
	db := b.sql(t)
	db.SetMaxOpenConns(1) // which has the temporary table
	for _, statement := range []string{
		`CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000) SELECT n FROM n`,
		`INSERT INTO collections SELECT 'c' || n, CASE WHEN n % 10 = 0 THEN 'file-' ELSE 'user-memory-' END || n,
		        dimension, database_id, config_json_str, schema_str FROM collections, n WHERE name = 'user-memory-0'`,
		`INSERT INTO segments SELECT printf('s%06d', n), 'urn:chroma:segment/metadata/sqlite', 'METADATA', 'c' || n FROM n`,
		`INSERT INTO embeddings (segment_id, embedding_id, seq_id) SELECT printf('s%06d', n), 'only', 1 FROM n`,
		`INSERT INTO embeddings (segment_id, embedding_id, seq_id) SELECT printf('s%06d', c.column1), 'p' || n, 1
		   FROM (VALUES (1, 1999), (2, 2000), (7, 2500), (8, 1000)) c, n WHERE n < c.column2`,
	} {
		_, err := db.Exec(statement)
		require.NoError(t, err, statement)
	}
	store := newEmbedded(t, b.dir)
	names := listNames(t, store)
	require.Len(t, names, 2701)
	points := countPoints(t, store, names...)
	require.Len(t, points, 2700)
	for name, n := range map[string]int{"user-memory-1": 1999, "user-memory-2": 2000, "user-memory-3": 1, "user-memory-7": 2500, "user-memory-8": 1000} {
		require.Equal(t, n, points[name], name)
	}
}

// A server with 3,000 collections is asked for some hundred at a time. One that was made
// meanwhile has moved the others.
func TestManyCollectionsOfAServer(t *testing.T) {
	t.Parallel()
	var names []string
	for n := range 3000 {
		names = append(names, fmt.Sprint("user-memory-", n))
	}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var page []map[string]string
		if strings.HasSuffix(r.URL.Path, "/collections") {
			limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
			if err != nil || limit > 500 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			for _, name := range names[min(offset, len(names)):min(offset+limit, len(names))] {
				page = append(page, map[string]string{"id": uuid.NewString(), "name": name})
			}
			if asked++; asked == 2 {
				names = append([]string{"user-memory-new"}, names...)
			}
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(server.Close)
	want := names
	require.Equal(t, want, listNames(t, newServer(t, chroma.HTTPOptions{URL: server.URL})))
	require.Equal(t, 7, asked)
}

// A server that does not delete what it says it deletes is nobody's fault among the points.
func TestServerThatDeletesNothing(t *testing.T) {
	t.Parallel()
	memory := "user-memory-" + uuid.NewString()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "c", "name": memory, "ids": []string{"a", "b"}})
	}))
	t.Cleanup(server.Close)
	_, err := newServer(t, chroma.HTTPOptions{URL: server.URL}).RemovePoints(t.Context(), nil, memory, []string{"a", "b"}, vectors.AllowAll)
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "does not delete")
}
