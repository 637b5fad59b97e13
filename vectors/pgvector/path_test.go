package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// Functions and operators that somebody else made in a schema on our search path are
// never called.
func TestPathOfOthersIsNotTrusted(t *testing.T) {
	t.Parallel()
	for name, crypto := range map[string]string{"plain": "", "encrypted": key} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t, testenv.VectorOptions{Crypto: crypto})
			chunks := []vectorstest.Chunk{
				{ID: "1", Collection: "file-a", FileID: "a"}, {ID: "2", Collection: vectorstest.Base, FileID: "a"},
				{ID: "3", Collection: "file-b", FileID: "b"}, {ID: "4", Collection: vectorstest.Base, FileID: "b"},
				{ID: "5", Collection: "user-memory-a"}, {ID: "6", Collection: "user-memory-b"}, {ID: "7", Collection: "user-memory-b"},
			}
			i.insert(t, chunks...)
			i.Shadow(t)
			store := newStore(t, i.URL, crypto != "")
			require.NoError(t, store.Index(t.Context()))
			require.NoError(t, store.Check(t.Context()))
			for _, err := range store.Files(t.Context()) {
				require.NoError(t, err)
			}
			found, err := store.Collections(t.Context(), "a")
			require.NoError(t, err)
			require.Len(t, found, 2)
			same, err := store.IsIn(t.Context(), "1", 2)
			require.NoError(t, err)
			require.False(t, same)
			_, err = store.Remove(t.Context(), nil, []string{"a"})
			require.NoError(t, err)
			for _, err := range store.ListCollections(t.Context()) {
				require.NoError(t, err)
			}
			for _, err := range store.ListPoints(t.Context(), []string{"user-memory-a"}) {
				require.NoError(t, err)
			}
			_, err = store.RemoveCollections(t.Context(), nil, []string{"user-memory-a"}, nil)
			require.NoError(t, err)
			_, err = store.RemovePoints(t.Context(), nil, "user-memory-b", []string{"6"}, nil)
			require.NoError(t, err)
			require.ElementsMatch(t, []string{"3", "4", "7"}, i.left(t))
			require.NoError(t, store.DropIndex(t.Context()))
		})
	}
}
