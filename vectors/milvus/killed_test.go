package milvus_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// A server that dies in the middle of a set and comes back: nothing that it was not asked
// about is gone, what was asked is an error of its own, and the next time all goes.
func TestServerThatIsKilled(t *testing.T) {
	t.Parallel()
	starts := map[string]func(testing.TB) *testenv.Milvus{"lite": testenv.StartMilvusLite}
	if allStores {
		starts["engine"] = func(t testing.TB) *testenv.Milvus { return testenv.StartMilvus(t, testenv.MilvusOptions{}) }
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			t.Run("multitenancy", func(t *testing.T) { killInTheMiddle(t, server, true) })
			if name == "lite" { // the engine takes a minute to start again
				t.Run("single", func(t *testing.T) { killInTheMiddle(t, server, false) })
			}
		})
	}
}

func killInTheMiddle(t *testing.T, server *testenv.Milvus, multitenancy bool) {
	a := newDatabase(t, server.URL(), multitenancy)
	store := a.store(t)
	files, other := []string{uuid.NewString(), uuid.NewString(), uuid.NewString()}, uuid.NewString()
	stays := []vectorstest.Chunk{{ID: "a", Collection: vectorstest.Base, FileID: other}, {ID: "b", Collection: vectors.FileCollection(other), FileID: other}}
	chunks := stays
	for _, file := range files {
		chunks = append(chunks, many(3, vectors.FileCollection(file), file)...)
	}
	chunks = append(chunks, many(3, vectorstest.Base, files[0])...)
	a.insert(t, chunks...)

	asked := 0
	_, err := store.RemoveGuarded(t.Context(), files, func(_ context.Context, ids []string) ([]string, error) {
		if asked++; asked == 2 {
			server.Kill(t)
		}
		return ids, nil
	})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	requireUnusable(t, store, "Milvus server")
	server.Restart(t)
	left := a.left(t)
	require.Subset(t, left, []string{"a", "b"})
	require.Greater(t, len(left), len(stays), "the rest waits")
	require.Less(t, len(left), len(chunks))

	require.Eventually(t, func() bool { // a connection is tried again after a pause
		_, err = store.Remove(t.Context(), nil, files)
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	require.ElementsMatch(t, []string{"a", "b"}, a.left(t))
}
