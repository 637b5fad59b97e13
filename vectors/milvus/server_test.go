package milvus_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

// The same names in another database, in the other mode, and without a database's prefix
// are not ours.
func TestOthersKeepTheirs(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, server *testenv.Milvus) {
		ours, theirs := newDatabase(t, server.URL(), true), newDatabase(t, server.URL(), true)
		file := uuid.NewString()
		chunks := append(many(3, vectors.FileCollection(file), file), many(3, vectorstest.Base, file)...)
		ours.insert(t, chunks...)
		theirs.insert(t, chunks...)
		for _, foreign := range []string{"other_files", "open_webui_filesx", "open_webuix_files"} {
			ours.create(t, foreign, 8)
		}
		removed, err := ours.store(t).Remove(t.Context(), nil, []string{file})
		require.NoError(t, err)
		require.EqualValues(t, len(chunks), removed.Chunks)
		require.Empty(t, ours.left(t))
		require.Len(t, ours.collections(t), 5, "the shared ones stay, and others'")
		require.Len(t, theirs.left(t), len(chunks))
	})
}

// A copy that the application is about to make of a collection, or was stopped at: what was
// removed would come back, so nothing is, and it is told.
func TestStagingIsLeftAlone(t *testing.T) {
	t.Parallel()
	for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			a := newDatabase(t, testenv.SharedMilvusLite(t).URL(), multitenancy)
			file := uuid.NewString()
			a.insert(t, many(3, vectors.FileCollection(file), file)...)
			staging := a.ServerName(vectors.FileCollection(file)) + "_bm25_staging"
			a.create(t, staging, dimension)
			store := a.store(t)
			require.ErrorContains(t, store.Check(t.Context()), staging)
			requireUnusable(t, store, staging)
			require.Len(t, a.left(t), 3)

			done(t)(a.DropCollection(t.Context(), &milvuspb.DropCollectionRequest{CollectionName: staging}))
			require.NoError(t, store.Check(t.Context()))
			removed, err := store.RemoveGuarded(t.Context(), []string{file}, func(_ context.Context, ids []string) ([]string, error) {
				if !slices.Contains(a.collections(t), staging) {
					a.create(t, staging, dimension) // it begins while we remove
				}
				return ids, nil
			})
			require.ErrorIs(t, err, vectors.ErrUnusable, "not settled: what went may come back")
			require.EqualValues(t, 3, removed.Chunks)
		})
	}
}

// requireUnusable says that nothing can be asked of a store, and why.
func requireUnusable(t *testing.T, store *milvus.Store, why string) {
	t.Helper()
	ctx := t.Context()
	say := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, vectors.ErrUnusable)
		require.ErrorContains(t, err, why)
	}
	_, err := store.Remove(ctx, nil, []string{"a"})
	say(err)
	_, err = store.RemoveCollections(ctx, nil, []string{vectorstest.Base}, vectors.AllowAll)
	say(err)
	_, err = store.RemovePoints(ctx, nil, vectorstest.Base, []string{"a"}, vectors.AllowAll)
	say(err)
	_, err = store.Collections(ctx, "a")
	say(err)
	_, err = store.Holdings(ctx, []string{"a"})
	say(err)
	_, err = store.Strange(ctx)
	say(err)
	err = nil
	for _, err = range store.Files(ctx) {
		say(err)
	}
	require.Error(t, err)
	err = nil
	for _, err = range store.ListCollections(ctx) {
		say(err)
	}
	require.Error(t, err)
	err = nil
	for _, err = range store.ListPoints(ctx, []string{vectorstest.Base}) {
		say(err)
	}
	require.Error(t, err)
}

// A server that has only what the other mode makes would look empty.
func TestOtherModeIsRefused(t *testing.T) {
	t.Parallel()
	url := testenv.SharedMilvusLite(t).URL()
	for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			a := newDatabase(t, url, multitenancy)
			wrong := newStore(t, milvus.Options{URL: url, Database: a.database, Multitenancy: !multitenancy, Prefix: "open_webui"})
			require.NoError(t, wrong.Check(t.Context()), "nothing is there yet")
			file := uuid.NewString()
			a.insert(t, many(3, vectors.FileCollection(file), file)...)
			requireUnusable(t, wrong, "ENABLE_MILVUS_MULTITENANCY_MODE")
			require.NoError(t, a.store(t).Check(t.Context()))
		})
	}
}

// A shared collection that was just made, or that somebody released, is loaded; chunks of
// another dimension are chunks; a collection that comes back is found the next time.
func TestCollectionsOfEachState(t *testing.T) {
	t.Parallel()
	onServers(t, removesFromEachState)
}

func removesFromEachState(t *testing.T, server *testenv.Milvus) {
	a := newDatabase(t, server.URL(), false)
	store := a.store(t)
	file := uuid.NewString()
	a.create(t, a.ServerName(vectorstest.Base), dimension)
	a.insertRows(t, a.ServerName(vectorstest.Base), many(3, vectorstest.Base, file))
	a.create(t, a.ServerName(vectors.FileCollection(file)), 8)
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks, "the own one was not loaded, and is not counted")
	require.Equal(t, []string{a.ServerName(vectorstest.Base)}, a.collections(t))

	a.insert(t, many(3, vectors.FileCollection(file), file)...)
	a.insert(t, many(3, vectorstest.Base, file)...)
	done(t)(a.ReleaseCollection(t.Context(), &milvuspb.ReleaseCollectionRequest{CollectionName: a.ServerName(vectorstest.Base)}))
	removed, err = store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 6, removed.Chunks)
	require.Empty(t, a.left(t))
}

const secret = "root:s3cr3t-and-more"

func refused(code int32, reason string) *commonpb.Status {
	return &commonpb.Status{Code: code, Reason: reason}
}

// What a server answers that is away, busy, without rights, that loses the rest of a page or
// lies: it is the store's own fault, nothing is taken for gone, and no secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	lite := testenv.SharedMilvusLite(t).URL()
	for name, c := range map[string]struct {
		multitenancy bool
		twist        func(*twisted)
		want         string
	}{
		"says that it deleted": {true, func(s *twisted) {
			s.remove = func() (*milvuspb.MutationResult, error) {
				return &milvuspb.MutationResult{Status: &commonpb.Status{}, DeleteCnt: 3}, nil
			}
		}, "does not delete row"},
		"says that it dropped": {false, func(s *twisted) {
			s.drop = func() (*commonpb.Status, error) { return &commonpb.Status{}, nil }
		}, "said that it dropped it"},
		"read-only": {true, func(s *twisted) {
			s.remove = func() (*milvuspb.MutationResult, error) {
				return &milvuspb.MutationResult{Status: refused(9, "deny to write the message, reason: manually force deny")}, nil
			}
		}, "force deny"},
		"no right to delete": {true, func(s *twisted) {
			s.remove = func() (*milvuspb.MutationResult, error) {
				return nil, status.Error(codes.PermissionDenied, "PrivilegeDelete: permission deny to "+secret)
			}
		}, "wants the privileges"},
		"half of the columns": {true, func(s *twisted) {
			s.query = func(int, *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
				return &milvuspb.QueryResults{Status: &commonpb.Status{}, FieldsData: []*schemapb.FieldData{testenv.MilvusTexts("id", []string{"a"})}}, nil
			}
		}, "parts are missing"},
		"an error after the first page": {true, func(s *twisted) {
			s.query = func(n int, _ *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
				if n > 2 {
					return nil, status.Error(codes.Internal, "stream closed")
				}
				return nil, nil
			}
		}, "stream closed"},
		"away": {true, func(s *twisted) {
			s.show = func() (*milvuspb.ShowCollectionsResponse, error) {
				return nil, status.Error(codes.Unavailable, "connection refused by "+secret)
			}
		}, "refused"},
		"always busy": {true, func(s *twisted) {
			s.show = func() (*milvuspb.ShowCollectionsResponse, error) {
				return &milvuspb.ShowCollectionsResponse{Status: refused(8, "rate limit exceeded")}, nil
			}
		}, "rate limit"},
		"no such database": {true, func(s *twisted) {
			s.show = func() (*milvuspb.ShowCollectionsResponse, error) {
				return &milvuspb.ShowCollectionsResponse{Status: refused(800, "database not found")}, nil
			}
		}, "database not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newDatabase(t, lite, c.multitenancy)
			file := uuid.NewString()
			chunks := append(many(3, vectors.FileCollection(file), file), many(3, vectorstest.Base, file)...)
			a.insert(t, chunks...)
			server, url := twist(t, lite)
			store := newStore(t, milvus.Options{URL: url, Database: a.database, Multitenancy: c.multitenancy, Prefix: "open_webui", Token: secret})
			c.twist(server)
			_, err := store.Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, fmt.Sprint(store), secret)

			_, removed := a.store(t).Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, removed)
			require.Empty(t, a.left(t))
		})
	}
}

// A server that has too much to do for a moment is asked again.
func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	lite := testenv.SharedMilvusLite(t).URL()
	a := newDatabase(t, lite, true)
	a.insert(t, many(3, vectorstest.Base, "f")...)
	server, url := twist(t, lite)
	server.query = func(n int, _ *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
		switch n {
		case 1:
			return &milvuspb.QueryResults{Status: refused(8, "rate limit exceeded")}, nil
		case 2:
			return nil, status.Error(codes.ResourceExhausted, "rate limit exceeded")
		}
		return nil, nil
	}
	store := newStore(t, milvus.Options{URL: url, Database: a.database, Multitenancy: true, Prefix: "open_webui"})
	removed, err := store.Remove(t.Context(), nil, []string{"f"})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks)
	require.Empty(t, a.left(t))
}

// A page that is larger than an answer may be is asked for in parts.
func TestPageThatIsTooLargeIsParted(t *testing.T) {
	t.Parallel()
	lite := testenv.SharedMilvusLite(t).URL()
	a := newDatabase(t, lite, true)
	a.insert(t, many(300, vectorstest.Base, "f")...)
	server, url := twist(t, lite)
	server.query = func(_ int, in *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
		for _, p := range in.GetQueryParams() {
			if p.GetKey() == "limit" && len(p.GetValue()) > 2 {
				return nil, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (70000000 vs. 67108864)")
			}
		}
		return nil, nil
	}
	store := newStore(t, milvus.Options{URL: url, Database: a.database, Multitenancy: true, Prefix: "open_webui"})
	var listed int
	for c, err := range store.ListChunks(t.Context(), []string{vectorstest.Base}, nil) {
		require.NoError(t, err)
		require.Equal(t, "f", c.FileID)
		listed++
	}
	require.Equal(t, 300, listed)
}

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	url := fmt.Sprintf("http://127.0.0.1:%d", testenv.FreePort(t))
	requireUnusable(t, newStore(t, milvus.Options{URL: url, Token: secret}), "127.0.0.1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, newStore(t, milvus.Options{URL: url}).Check(ctx), context.Canceled)
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "milvus:19530", "ftp://" + secret + "@milvus", "http://", "/data/milvus.db", "http://" + secret + "@milvus:port"} {
		_, err := milvus.New(t.Context(), milvus.Options{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
	_, err := milvus.New(t.Context(), milvus.Options{URL: "https://milvus", CAFile: "/nowhere"})
	require.ErrorContains(t, err, "/nowhere")
	for address, want := range map[string]string{
		"http://milvus":                 "milvus at milvus:19530, database default, a collection each",
		"https://" + secret + "@milvus": "milvus at milvus:443, database default, a collection each",
	} {
		require.Equal(t, want, newStore(t, milvus.Options{URL: address}).Info().Name)
	}
	store := newStore(t, milvus.Options{URL: "http://milvus:1", Database: "d", Multitenancy: true, Prefix: "open-webui"})
	require.Equal(t, "milvus at milvus:1, database d, multitenancy with prefix open_webui", store.Info().Name)
}
