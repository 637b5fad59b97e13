package qdrant_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/qdrant"
	"pruned/vectors/vectorstest"
)

// eachMode runs a test with and without multitenancy.
func eachMode(t *testing.T, test func(t *testing.T, a *api)) {
	for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			test(t, newAPI(t, multitenancy))
		})
	}
}

// A filter finds more than it says where a value is a list; what is no text is nobody's, and
// so is a point by a number, but that it goes with its collection.
func TestFilterMayFindMore(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, a *api) {
		file := uuid.NewString()
		a.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, file)...)
		for i, value := range []any{[]string{file, "other"}, map[string]any{"a": file}, 7} {
			a.put(t, a.serverName(vectorstest.Base), point(i, i, map[string]any{"tenant_id": vectorstest.Base, "metadata": map[string]any{"name": "a", "file_id": value}}))
		}
		removed, err := a.store(t).Remove(t.Context(), nil, []string{file, "7"})
		require.NoError(t, err)
		require.EqualValues(t, 1, removed.Chunks)
		require.ElementsMatch(t, []string{"0", "1", "2"}, a.left(t))
		removed, err = a.store(t).RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
		require.NoError(t, err)
		require.EqualValues(t, 3, removed.Chunks)
		require.Empty(t, a.left(t))
	})
}

// What others keep in the five collections of multitenancy stays whatever it says, and is
// told, as are collections beside them; of other prefixes nothing is.
func TestOthersKeepTheirs(t *testing.T) {
	t.Parallel()
	a := newAPI(t, true)
	file, others := uuid.NewString(), uuid.NewString()
	a.insert(t, slices.Concat(vectorstest.MakeChunks(2, vectors.FileCollection(file), file), vectorstest.MakeChunks(2, vectorstest.Base, file))...)
	metadata := map[string]any{"name": "a", "file_id": file}
	own, knowledge := a.prefix+"_files", a.prefix+"_knowledge"
	a.put(t, own, point(1, 1, map[string]any{"metadata": metadata}), point(2, 1, map[string]any{"tenant_id": vectorstest.Base, "metadata": metadata}))
	a.put(t, knowledge, point(3, 1, map[string]any{"metadata": metadata}), point(4, 1, nil), point(5, 1, map[string]any{"tenant_id": []string{vectorstest.Base}, "metadata": metadata}),
		point(6, 1, map[string]any{"tenant_id": vectors.FileCollection(others), "metadata": metadata}), point(7, 1, map[string]any{"tenant_id": "wiki", "metadata": metadata}))
	a.create(t, a.prefix+"_file-"+file)
	a.create(t, a.prefix+"x_files")
	t.Cleanup(func() { a.drop(t, a.prefix+"x_files") })
	store := a.store(t)
	strange, err := store.Strange(t.Context())
	require.NoError(t, err)
	points := " (points of no collection that lies there)"
	require.Equal(t, []string{a.prefix + "_file-" + file, own + points, knowledge + points, "wiki"}, strange)
	for f, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, file, f.ID)
	}
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 4, removed.Chunks)
	_, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"1", "2", "3", "4", "5", "6", "7"}, a.left(t))
	require.Contains(t, a.collections(t), a.prefix+"_file-"+file)
}

// A server that only has what the other mode makes is refused by name, and so is a name that
// stands for another collection.
func TestServersThatAreNotAsTheSettingsSay(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, a *api) {
		file := uuid.NewString()
		a.insert(t, vectorstest.MakeChunks(1, vectors.FileCollection(file), file)...)
		other := a.options()
		other.Multitenancy = !a.multitenancy
		for _, err := range refusals(t, newStore(t, other), file) {
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, a.serverName(vectors.FileCollection(file)))
			require.ErrorContains(t, err, fmt.Sprintf("ENABLE_QDRANT_MULTITENANCY_MODE and QDRANT_COLLECTION_PREFIX say: wanted both as Open WebUI has them, the first perhaps %v", a.multitenancy))
		}
		alias := a.serverName("user-memory-x")
		a.call(t, http.MethodPost, "collections/aliases", map[string]any{"actions": []any{map[string]any{"create_alias": map[string]string{
			"alias_name": alias, "collection_name": a.serverName(vectors.FileCollection(file)),
		}}}}, nil)
		for _, err := range refusals(t, a.store(t), file) {
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, alias+" as an alias")
		}
		require.Len(t, a.left(t), 1)
	})
}

// refusals are what a store answers that must not remove anything.
func refusals(t *testing.T, store *qdrant.Store, file string) []error {
	t.Helper()
	_, remove := store.Remove(t.Context(), nil, []string{file})
	_, whole := store.RemoveCollections(t.Context(), nil, []string{"user-memory-x", vectorstest.Base}, vectors.AllowAll)
	_, points := store.RemovePoints(t.Context(), nil, "user-memory-x", []string{file}, vectors.AllowAll)
	return []error{store.Check(t.Context()), remove, whole, points}
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	server := testenv.StartQdrant(t, testenv.QdrantOptions{})
	a := &api{url: server.URL(), prefix: "open-webui", multitenancy: true}
	store := a.store(t)
	file, stays := uuid.NewString(), vectorstest.MakeChunks(3, vectorstest.Base, uuid.NewString())
	a.insert(t, slices.Concat(vectorstest.MakeChunks(100, vectors.FileCollection(file), file), vectorstest.MakeChunks(1500, vectorstest.Base, file), stays)...)
	asked := 0
	_, err := store.RemoveGuarded(t.Context(), []string{file}, func(_ context.Context, ids []string) ([]string, error) {
		if asked++; asked == 3 {
			server.Kill(t)
		}
		return ids, nil
	})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.Equal(t, 3, asked, "its own collection went, and a page of a thousand")
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	server.Restart(t)
	http.DefaultClient.CloseIdleConnections()
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 500, removed.Chunks)
	require.Len(t, a.left(t), 3)
}

// What a key may not is told by name, and nothing is taken for removed: one that may see only
// some collections is shown no others.
func TestRights(t *testing.T) {
	t.Parallel()
	server := testenv.StartQdrant(t, testenv.QdrantOptions{Guarded: true})
	a := &api{url: server.URL(), key: testenv.QdrantKey, prefix: "open-webui", multitenancy: true}
	file := uuid.NewString()
	a.insert(t, slices.Concat(vectorstest.MakeChunks(3, vectors.FileCollection(file), file), vectorstest.MakeChunks(3, vectorstest.Base, file))...)
	with := func(key string) *qdrant.Store {
		options := a.options()
		options.APIKey = key
		return newStore(t, options)
	}
	require.NoError(t, with(testenv.QdrantReader).Check(t.Context()))
	for _, key := range []string{"", "wrong-and-more", testenv.QdrantReaderOf} {
		require.ErrorIs(t, with(key).Check(t.Context()), vectors.ErrUnusable, key)
	}
	for _, key := range []string{"", "wrong-and-more", testenv.QdrantReaderOf, testenv.QdrantReader} {
		_, err := with(key).Remove(t.Context(), nil, []string{file})
		require.ErrorIs(t, err, vectors.ErrUnusable)
		require.ErrorContains(t, err, "QDRANT_API_KEY wants to be")
		if key != "" {
			require.NotContains(t, err.Error(), key)
		}
	}
	require.Len(t, a.left(t), 6)
	removed, err := with(testenv.QdrantKey).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 6, removed.Chunks)
}

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	store := newStore(t, qdrant.Options{URL: fmt.Sprintf("http://127.0.0.1:%d", testenv.FreePort(t)), Prefix: "p"})
	for _, err := range refusals(t, store, uuid.NewString()) {
		require.ErrorIs(t, err, vectors.ErrUnusable)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "qdrant:6333", "ftp://u:" + secret + "@q", "http://u:" + secret + "@q:port"} {
		_, err := qdrant.New(t.Context(), qdrant.Options{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), secret)
	}
	for address, want := range map[string]string{"http://q": "qdrant at q:6333", "https://q": "qdrant at q:6333", "http://u:p@[::1]:1/below?a=b": "qdrant at [::1]:1"} {
		require.Equal(t, want+", a collection each with prefix p", newStore(t, qdrant.Options{URL: address, Prefix: "p"}).Info().Name)
		require.Equal(t, want+", multitenancy with prefix p", newStore(t, qdrant.Options{URL: address, Prefix: "p", Multitenancy: true}).Info().Name)
	}
}

// A key goes by TLS where it has to, and its server's certificate is checked.
func TestTLS(t *testing.T) {
	t.Parallel()
	seen := ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("Api-Key") }))
	t.Cleanup(server.Close)
	plain := strings.Replace(server.URL, "https", "http", 1)
	err := newStore(t, qdrant.Options{URL: plain, Secure: true, APIKey: secret}).Check(t.Context())
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "certificate")
	require.Empty(t, seen)
}
