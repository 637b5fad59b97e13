package mariadb_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// More than a page of everything, in a knowledge base into which others write all the
// while: whatever they wrote of other files stays, and none of their statements is ended by
// a deadlock. `make test-stores` has 25,000.
func TestManyWhileOthersWrite(t *testing.T) {
	t.Parallel()
	count := 2500
	if os.Getenv("PRUNED_TEST_STORES") == "all" {
		count = 25_000
	}
	d := newDatabase(t, testenv.SharedMariaDB(t))
	var chunks []vectorstest.Chunk
	for n := range count {
		chunks = append(chunks, vectorstest.Chunk{ID: fmt.Sprint("a", n), Collection: vectorstest.Base, FileID: fmt.Sprint("a", n%700)})
	}
	d.insert(t, chunks...)
	var ids, written []string
	for n := range 700 {
		ids = append(ids, fmt.Sprint("a", n))
	}
	writing, stop := make(chan bool), make(chan bool)
	go func() {
		defer close(writing)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			id := fmt.Sprint("w", n)
			_, err := d.ExecContext(context.WithoutCancel(t.Context()), "INSERT INTO document_chunk (id, embedding, collection_name, vmetadata) VALUES (?, VEC_FromText(?), ?, JSON_OBJECT('file_id', ?, 'name', 'n'))",
				id, direction(), vectorstest.Base, "b")
			if err != nil {
				t.Error(err)
				return
			}
			written = append(written, id)
		}
	}()
	store := d.store(t)
	removed, err := store.Remove(t.Context(), nil, ids)
	close(stop)
	<-writing
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: int64(count)}, removed)
	require.NotEmpty(t, written)
	require.ElementsMatch(t, written, d.left(t))
	var listed []string
	for c, err := range store.ListChunks(t.Context(), []string{vectorstest.Base}, nil) {
		require.NoError(t, err)
		listed = append(listed, c.ID)
	}
	require.Equal(t, slices.Sorted(slices.Values(written)), slices.Sorted(slices.Values(listed)))
}
