package pinecone_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/vectors"
	"pruned/vectors/pinecone"
	"pruned/vectors/vectorstest"
)

// More than an answer has, while others write: of what was there before, all goes that
// should, and nothing else.
func TestManyWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s := newService(t)
	store := s.store(t)
	file, other := uuid.NewString(), uuid.NewString()
	s.insert(t, append(vectorstest.MakeChunks(10_400, vectorstest.Base, file), vectorstest.MakeChunks(1, vectorstest.Base, other)...)...)
	s.insert(t, vectorstest.MakeChunks(100, vectors.FileCollection(file), file)...)
	collections, err := store.Collections(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, []vectors.Collection{{Name: vectorstest.Base, Chunks: 10_400}, {Name: vectors.FileCollection(file), Chunks: 100}}, collections)

	ctx, cancel := context.WithCancel(t.Context())
	var writer errgroup.Group
	written := 0
	writer.Go(func() error {
		for ; ctx.Err() == nil && written < 10_000; written++ {
			s.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, other)...)
		}
		return nil
	})
	removed, err := store.Remove(t.Context(), nil, []string{file})
	cancel()
	require.NoError(t, writer.Wait())
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 10_500}, removed)
	require.Len(t, s.left(t), 1+written)
}

// What is gone, and still told by queries and fetches, is waited for, and not taken for disobedience.
func TestEverythingIsLate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.late, s.stale = 2, true
	file, stays := uuid.NewString(), vectorstest.MakeChunks(1, vectorstest.Base, uuid.NewString())
	s.insert(t, append(vectorstest.MakeChunks(3, vectorstest.Base, file), stays...)...)
	removed, err := s.store(t).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks)
	require.Equal(t, []string{stays[0].ID}, s.left(t))
}

// Points of other programs in the same index, whatever they say, are neither told nor
// touched.
func TestOthersKeepTheirs(t *testing.T) {
	t.Parallel()
	s := newService(t)
	file := uuid.NewString()
	s.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, file)...)
	s.there["no collection"] = map[string]any{"file_id": file, "name": "a"}
	s.there["another prefix"] = map[string]any{"file_id": file, "name": "a", "collection_name": "open-webui2_file-" + file}
	s.there["no text"] = map[string]any{"file_id": file, "name": "a", "collection_name": 7}
	s.there["no metadata"] = nil
	strange, err := s.store(t).Strange(t.Context())
	require.NoError(t, err)
	require.Empty(t, strange)
	removed, err := s.store(t).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 1, removed.Chunks)
	require.ElementsMatch(t, []string{"no collection", "another prefix", "no text", "no metadata"}, s.left(t))
}

// What a service answers that is without rights, of another kind, that loses the rest of a
// list or lies: it is the store's own fault, nothing is taken for gone, and no secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	index := func(more string) string { return `{"name":"` + indexName + `","dimension":3,` + more + `}` }
	for name, c := range map[string]struct {
		path   string // of the requests that are answered otherwise
		from   int64  // the first of these
		status int
		answer string
		want   string
	}{
		"no index":             {"/indexes/", 1, 404, `{"error":{"code":"NOT_FOUND"}}`, "NOT_FOUND"},
		"another index":        {"/indexes/", 1, 200, `{"name":"other","host":"h","dimension":3,"status":{"ready":true}}`, "not described"},
		"without a host":       {"/indexes/", 1, 200, index(`"host":"","status":{"ready":true}`), "not described"},
		"of sparse vectors":    {"/indexes/", 1, 200, `{"name":"` + indexName + `","host":"h","status":{"ready":true}}`, "not described"},
		"not ready":            {"/indexes/", 1, 200, index(`"host":"h","status":{"ready":false}`), "not ready"},
		"says that it deleted": {"/vectors/delete", 1, 200, `{}`, "does not delete"},
		"no right to delete":   {"/vectors/delete", 1, 403, `{"message":"` + secret + `"}`, "PINECONE_API_KEY wants the roles"},
		"no matches":           {"/query", 1, 200, `{"results":[]}`, "without matches"},
		"late for ever":        {"/query", 1, 200, `{"matches":[{"id":"gone"}]}`, "cannot be seen"},
		"half an answer":       {"/query", 2, 200, `{"matches":[{"id":"a"`, "query"},
		"another vector":       {"/vectors/fetch", 1, 200, `{"vectors":{"a":{"id":"b"}}}`, "another vector"},
		"fetches nothing":      {"/vectors/fetch", 1, 200, `{}`, "fetches no vectors"},
		"another program":      {"/query", 1, 404, `nothing here`, "404"},
		"somewhere else":       {"/query", 1, 302, ``, "302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			file := uuid.NewString()
			s.insert(t, append(vectorstest.MakeChunks(3, vectorstest.Base, file), vectorstest.MakeChunks(3, vectors.FileCollection(file), file)...)...)
			var asked atomic.Int64
			s.between = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasPrefix(r.URL.Path, c.path) || asked.Add(1) < c.from {
					return false
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
				return true
			}
			_, err := s.patientStore(t, 300*time.Millisecond).Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)

			s.between = nil
			_, err = s.store(t).Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, err)
			require.Empty(t, s.left(t))
		})
	}
}

// A list that is none, does not go on, or ends in the middle is an error, not the end.
func TestListsThatAreNone(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]string{
		"lists no vectors": `{}`, "does not go on": `{"vectors":[],"pagination":{"next":"a"}}`, "list the ids": `{"vectors":[{"id":`,
	} {
		s := newService(t)
		s.insert(t, vectorstest.MakeChunks(150, vectorstest.Base, "a")...)
		s.between = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/vectors/list" || r.URL.Query().Get("paginationToken") == "" {
				return false
			}
			fmt.Fprint(w, answer)
			return true
		}
		var last error
		for _, err := range s.store(t).Files(t.Context()) {
			last = err
		}
		require.ErrorIs(t, last, vectors.ErrUnusable)
		require.ErrorContains(t, last, want)
	}
}

// An index that cannot list its vectors is told by a check.
func TestIndexWithoutLists(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.between = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/vectors/list" {
			http.Error(w, "Operation not supported for pod-based indexes", http.StatusNotFound)
			return true
		}
		return false
	}
	require.ErrorContains(t, s.store(t).Check(t.Context()), "pod-based")
}

// A wrong key is told without it; a service that has too much to do is asked again.
func TestKeyAndHaste(t *testing.T) {
	t.Parallel()
	s := newService(t)
	wrong, err := pinecone.NewStore(s.url, patience, pinecone.Options{APIKey: "wrong-key", Index: indexName})
	require.NoError(t, err)
	t.Cleanup(wrong.Close)
	err = wrong.Check(t.Context())
	require.ErrorContains(t, err, "PINECONE_API_KEY wants the roles")
	require.NotContains(t, err.Error(), "wrong-key")

	var asked atomic.Int64
	s.between = func(w http.ResponseWriter, _ *http.Request) bool {
		if asked.Add(1) > 1 {
			return false
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	require.NoError(t, s.store(t).Check(t.Context()))
	require.EqualValues(t, 3, asked.Load())
	require.Equal(t, vectors.Info{Name: "pinecone, index " + indexName}, s.store(t).Info())
	_, err = pinecone.New(t.Context(), pinecone.Options{Index: indexName})
	require.Error(t, err)
}
