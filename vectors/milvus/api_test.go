package milvus_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

// api is Milvus as the application uses it: one database of a server.
type api struct {
	*testenv.MilvusData
	url, database string
}

var databases atomic.Int64

// connect is the administrator's client, that asks about one database.
func connect(t testing.TB, url, database string, multitenancy bool) *testenv.MilvusData {
	t.Helper()
	d, err := testenv.OpenMilvus(url, database, multitenancy)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// newDatabase is a database of a server's own for one case.
func newDatabase(t testing.TB, url string, multitenancy bool) *api {
	t.Helper()
	a := &api{url: url, database: fmt.Sprintf("db_%d", databases.Add(1))}
	a.MilvusData = connect(t, url, a.database, multitenancy)
	done(t)(a.CreateDatabase(t.Context(), &milvuspb.CreateDatabaseRequest{DbName: a.database}))
	t.Cleanup(func() { a.drop(t) })
	return a
}

func (a *api) drop(t testing.TB) {
	ctx := context.Background()
	for _, name := range a.collections(t) {
		done(t)(a.DropCollection(ctx, &milvuspb.DropCollectionRequest{CollectionName: name}))
	}
	done(t)(a.DropDatabase(ctx, &milvuspb.DropDatabaseRequest{DbName: a.database}))
}

// dropCollection drops that of the server's, with all that lies there.
func (a *api) dropCollection(t testing.TB, collection string) {
	t.Helper()
	done(t)(a.DropCollection(context.Background(), &milvuspb.DropCollectionRequest{CollectionName: a.ServerName(collection)}))
}

// store is our own client of the database.
func (a *api) store(t testing.TB) *milvus.Store {
	t.Helper()
	return newStore(t, milvus.Options{URL: a.url, Database: a.database, Multitenancy: a.Multitenancy, Prefix: "open-webui"})
}

func newStore(t testing.TB, options milvus.Options) *milvus.Store {
	t.Helper()
	store, err := milvus.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// done says that a request succeeded.
func done(t testing.TB) func(status *commonpb.Status, err error) {
	return func(status *commonpb.Status, err error) {
		t.Helper()
		require.NoError(t, testenv.MilvusDone(status, err))
	}
}

func (a *api) collections(t testing.TB) []string {
	t.Helper()
	names, err := a.Collections(context.Background())
	require.NoError(t, err)
	return names
}

const dimension = testenv.MilvusDimension

func (a *api) create(t testing.TB, name string, dimension int) {
	t.Helper()
	require.NoError(t, a.Create(t.Context(), name, dimension))
}

// insert stores chunks as the application does, and loads what it stored into, each
// collection of the server's at the same time.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]vectorstest.Chunk{}
	for _, chunk := range chunks {
		name := a.ServerName(chunk.Collection)
		sets[name] = append(sets[name], chunk)
	}
	there := a.collections(t)
	var group errgroup.Group
	group.SetLimit(50)
	for name, set := range sets {
		group.Go(func() error {
			if !slices.Contains(there, name) {
				a.create(t, name, dimension)
			}
			a.insertRows(t, name, set)
			a.load(t, name)
			a.count(t, name)
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func (a *api) insertRows(t testing.TB, name string, chunks []vectorstest.Chunk) {
	t.Helper()
	var rows []testenv.MilvusRow
	for _, chunk := range chunks {
		rows = append(rows, testenv.MilvusRow{ID: chunk.ID, Collection: chunk.Collection, Metadata: chunk.Metadata()})
	}
	require.NoError(t, a.Insert(t.Context(), name, rows...))
}

func (a *api) load(t testing.TB, name string) {
	t.Helper()
	require.NoError(t, a.Load(context.Background(), name))
}

// count waits until everything that was written is seen.
func (a *api) count(t testing.TB, name string) int64 {
	t.Helper()
	answer, err := a.Query(context.Background(), &milvuspb.QueryRequest{
		CollectionName: name, OutputFields: []string{"count(*)"}, ConsistencyLevel: commonpb.ConsistencyLevel_Strong,
	})
	done(t)(answer.GetStatus(), err)
	return answer.GetFieldsData()[0].GetScalars().GetLongData().GetData()[0]
}

func (a *api) keys(t testing.TB, name string) (keys []string) {
	t.Helper()
	rows, err := a.Rows(context.Background(), name)
	require.NoError(t, err)
	for _, row := range rows {
		keys = append(keys, row.ID)
	}
	return keys
}

func (a *api) left(t testing.TB) []string {
	t.Helper()
	names := a.collections(t)
	lists := make([][]string, len(names))
	var group errgroup.Group
	group.SetLimit(50)
	for i, name := range names {
		group.Go(func() error {
			lists[i] = a.keys(t, name)
			return nil
		})
	}
	require.NoError(t, group.Wait())
	return slices.Concat(lists...)
}

// many are chunks of one file in one collection.
func many(n int, collection, file string) (chunks []vectorstest.Chunk) {
	for i := range n {
		chunks = append(chunks, vectorstest.Chunk{ID: fmt.Sprintf("%s-%06d", collection, i), Collection: collection, FileID: file})
	}
	return chunks
}

// allStores says that what takes minutes runs as well: the engine.
var allStores = os.Getenv("PRUNED_TEST_STORES") == "all"

// onServers runs a test on milvus-lite, and on the engine where all runs.
func onServers(t *testing.T, test func(t *testing.T, server *testenv.Milvus)) {
	t.Helper()
	t.Run("lite", func(t *testing.T) {
		t.Parallel()
		test(t, testenv.SharedMilvusLite(t))
	})
	if allStores {
		t.Run("engine", func(t *testing.T) {
			t.Parallel()
			test(t, testenv.SharedMilvus(t))
		})
	}
}
