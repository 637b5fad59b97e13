package weaviate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
	"pruned/vectors/weaviate"
)

// A filter on a text takes words for the whole; only the very id goes.
func TestWordsAreNoIDs(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	id := uuid.NewString()
	ids := []string{"plain-id", "id-plain", "plain-id-2", "PLAIN_ID", "my.plain id!", "report-1", "report-1-old", "1-report", "the", "!", id, strings.ToUpper(id), id + "-2"}
	var chunks []vectorstest.Chunk
	for _, one := range ids {
		chunks = append(chunks, vectorstest.MakeChunks(1, vectorstest.Base, one)...)
	}
	a.insert(t, chunks...)
	removed, err := a.store(t).Remove(t.Context(), nil, []string{"plain-id", "report-1", "the", "!", id})
	require.NoError(t, err)
	require.EqualValues(t, 5, removed.Chunks)
	var left []string
	for f, err := range a.store(t).Files(t.Context()) {
		require.NoError(t, err)
		left = append(left, f.ID)
	}
	require.ElementsMatch(t, []string{"id-plain", "plain-id-2", "PLAIN_ID", "my.plain id!", "report-1-old", "1-report", strings.ToUpper(id), id + "-2"}, left)
	removed, err = a.store(t).Remove(t.Context(), nil, []string{strings.ToUpper(id)})
	require.NoError(t, err)
	require.EqualValues(t, 1, removed.Chunks)
}

// The server writes every UUID in one way. Which way the application has is told by the name
// of the file's own collection, which every chunk has; who has none is written so.
func TestIDsThatTheServerWritesItsWay(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	id := uuid.NewString()
	upper, bare := strings.ToUpper(uuid.NewString()), strings.ReplaceAll(uuid.NewString(), "-", "")
	class := className(vectorstest.Base)
	a.create(t, class, map[string]string{"file_id": "uuid"})
	for _, one := range []string{id, upper, bare} {
		a.call(t, http.MethodPost, "objects", map[string]any{"class": class, "id": uuid.NewString(), "properties": map[string]any{
			"name": "n", "file_id": one, "collection_name": vectors.FileCollection(one), "text": "t",
		}}, nil)
	}
	require.ElementsMatch(t, []string{id, upper, bare}, listFiles(t, a.store(t)))
	for _, other := range []string{strings.ToLower(upper), uuid.MustParse(bare).String(), strings.ToUpper(id), strings.ReplaceAll(id, "-", "")} {
		removed, err := a.store(t).Remove(t.Context(), nil, []string{other})
		require.NoError(t, err)
		require.Zero(t, removed.Chunks, "of a file that lives by another spelling: %s", other)
	}
	removed, err := a.store(t).Remove(t.Context(), nil, []string{upper, bare, "no-uuid"})
	require.NoError(t, err)
	require.EqualValues(t, 2, removed.Chunks)
	require.Equal(t, []string{id}, listFiles(t, a.store(t)))
}

func listFiles(t *testing.T, store *weaviate.Store) (ids []string) {
	t.Helper()
	for f, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, f.ID)
	}
	return ids
}

// A class whose name two collections get is told, and left alone whichever is asked for; so
// is one with tenants, and one that is called by no UUID.
func TestClassesThatNobodyCanTell(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	digest := strings.Repeat("9c", 32)[:63]
	a.create(t, "C"+digest, nil)
	a.create(t, "File_my_report", nil)
	tenants := "File_" + strings.ReplaceAll(uuid.NewString(), "-", "_")
	a.call(t, http.MethodPost, "schema", map[string]any{"class": tenants, "multiTenancyConfig": map[string]any{"enabled": true}}, nil)
	store := a.store(t)
	strange, err := store.Strange(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"C" + digest, "File_my_report", tenants}, strange)
	_, err = store.RemoveCollections(t.Context(), nil, []string{digest, "c" + digest}, vectors.AllowAll)
	require.NoError(t, err)
	_, err = store.Remove(t.Context(), nil, []string{"my-report", "my_report", strings.ReplaceAll(tenants[5:], "_", "-")})
	require.NoError(t, err)
	require.Len(t, a.classes(t), 3)
}

// A class that is dropped in the midst of an upload is made again by the server, otherwise than
// the application makes it. What is stored there goes with its file, and nothing else.
func TestDropInAnUpload(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	store := a.store(t)
	file, stays := uuid.NewString(), vectorstest.MakeChunks(1, vectorstest.Base, uuid.NewString())
	own := vectors.FileCollection(file)
	a.insert(t, append(vectorstest.MakeChunks(3, own, file), vectorstest.MakeChunks(3, vectorstest.Base, file)...)...)
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	a.drop(t, vectorstest.Base)

	a.insertObjects(t, className(own), vectorstest.MakeChunks(3, own, file))
	a.insertObjects(t, className(vectorstest.Base), append(vectorstest.MakeChunks(3, vectorstest.Base, file), stays...))
	require.Contains(t, listFiles(t, store), file)
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 6, removed.Chunks)
	require.Equal(t, []string{stays[0].ID}, a.left(t))
	require.Equal(t, []string{className(vectorstest.Base)}, a.classes(t))
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	needServer(t)
	server := testenv.StartWeaviate(t, testenv.WeaviateOptions{MaxResults: 100})
	a := &api{port: server.Port()}
	store := a.store(t)
	file, stays := uuid.NewString(), vectorstest.MakeChunks(3, vectorstest.Base, uuid.NewString())
	a.insert(t, vectorstest.MakeChunks(250, vectorstest.Base, file)...)
	a.insert(t, stays...)
	asked := 0
	_, err := store.RemoveGuarded(t.Context(), []string{file}, func(_ context.Context, ids []string) ([]string, error) {
		if asked++; asked == 2 {
			server.Kill(t)
		}
		return ids, nil
	})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.Equal(t, 2, asked, "a page of 100 went")
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	server.Restart(t)
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 150, removed.Chunks)
	require.Len(t, a.left(t), 3)
	require.Len(t, listFiles(t, store), 1, "pages of 100")
}

// What a key may not is told by name, and nothing is taken for removed.
func TestRights(t *testing.T) {
	t.Parallel()
	needServer(t)
	server := testenv.StartWeaviate(t, testenv.WeaviateOptions{Guarded: true})
	a := &api{port: server.Port(), key: testenv.WeaviateKey}
	file := uuid.NewString()
	a.insert(t, append(vectorstest.MakeChunks(3, vectors.FileCollection(file), file), vectorstest.MakeChunks(3, vectorstest.Base, file)...)...)
	user := newStore(t, weaviate.Options{Host: "127.0.0.1", Port: a.port, APIKey: testenv.WeaviateUserKey})
	refused := func(store *weaviate.Store) {
		t.Helper()
		require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
		_, err := store.Remove(t.Context(), nil, []string{file})
		require.ErrorIs(t, err, vectors.ErrUnusable)
		require.ErrorContains(t, err, "WEAVIATE_API_KEY wants")
		require.NotContains(t, err.Error(), testenv.WeaviateUserKey)
		require.Len(t, a.left(t), 6)
	}
	refused(newStore(t, weaviate.Options{Host: "127.0.0.1", Port: a.port, APIKey: "wrong"}))
	refused(newStore(t, weaviate.Options{Host: "127.0.0.1", Port: a.port}))
	refused(user)

	allow := func(role string, permissions ...map[string]any) {
		t.Helper()
		a.call(t, http.MethodPost, "authz/roles", map[string]any{"name": role, "permissions": permissions}, nil)
		a.call(t, http.MethodPost, fmt.Sprintf("authz/users/%s/assign", testenv.WeaviateUser), map[string]any{"roles": []string{role}, "userType": "db"}, nil)
	}
	all := map[string]any{"collection": "*"}
	data := map[string]any{"collection": "*", "tenant": "*", "object": "*"}
	some := map[string]any{"collection": "C*"}
	allow("reader_of_some", map[string]any{"action": "read_collections", "collections": some}, map[string]any{"action": "read_data", "data": data})
	refused(user)
	allow("reader", map[string]any{"action": "read_collections", "collections": all}, map[string]any{"action": "read_data", "data": data})
	require.NoError(t, user.Check(t.Context()))
	_, err := user.Remove(t.Context(), nil, []string{file})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "WEAVIATE_API_KEY wants")
	require.Len(t, a.left(t), 6)
	allow("remover", map[string]any{"action": "delete_collections", "collections": all}, map[string]any{"action": "delete_data", "data": data})
	removed, err := user.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 6, removed.Chunks)
	require.Empty(t, a.left(t))
}
