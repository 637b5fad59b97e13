package vectorstest

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/vectors"
)

// insertedAtOnce is what every store takes by one request.
const insertedAtOnce = 2000

// manyChunks is more than any store lists by one answer where there is time for it.
func manyChunks() int {
	if os.Getenv("PRUNED_TEST_STORES") == "all" {
		return 24_900
	}
	return 2_400
}

// removesManyBesideWriter: more than a page of everything, while others write. Of what was
// there before, all goes that should, and nothing else.
func removesManyBesideWriter(t *testing.T, f Fixture) {
	n, file, other := manyChunks(), uuid.NewString(), uuid.NewString()
	going := append(MakeChunks(n, Base, file), MakeChunks(100, vectors.FileCollection(file), file)...)
	for some := range slices.Chunk(going, insertedAtOnce) {
		f.Insert(t, some...)
	}
	stays := MakeChunks(1, Base, other)
	f.Insert(t, stays...)
	counted := map[vectors.File]int64{}
	for one, err := range f.Store.Files(t.Context()) {
		require.NoError(t, err)
		if one.Shared != "" {
			counted[vectors.File{ID: one.ID, Shared: one.Shared}] += one.Chunks
		}
	}
	require.Equal(t, map[vectors.File]int64{{ID: file, Shared: Base}: int64(n), {ID: other, Shared: Base}: 1}, counted)

	ctx, cancel := context.WithCancel(t.Context())
	var writer errgroup.Group
	writing := make(chan struct{})
	begun := sync.OnceFunc(func() { close(writing) })
	writer.Go(func() error {
		defer begun()                            // also where it fails
		for ctx.Err() == nil && len(stays) < n { // a store in a test's memory takes any number
			one := MakeChunks(1, Base, other)
			f.Insert(t, one...)
			stays = append(stays, one...)
			begun()
		}
		return nil
	})
	<-writing
	removed := f.removeOnce(t, []string{file})
	cancel()
	require.NoError(t, writer.Wait())
	require.EqualValues(t, len(going), removed.Chunks)
	if len(removed.Waiting) > 0 {
		require.Zero(t, f.removeAll(t, removed.Waiting), "what waits is asked for once")
	}
	f.requireHeld(t, stays)
}
