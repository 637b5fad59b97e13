package milvus_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"pruned/repo/testenv"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

// api is Milvus as the application uses it: one database of a server.
type api struct {
	milvuspb.MilvusServiceClient
	url, database string
	multitenancy  bool
}

var databases atomic.Int64

var administrator = base64.StdEncoding.EncodeToString([]byte(testenv.MilvusToken))

// connect is the administrator's client, that asks about one database.
func connect(t testing.TB, url, database string) milvuspb.MilvusServiceClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimPrefix(url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, in, out any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			return invoke(metadata.AppendToOutgoingContext(ctx, "dbname", database, "authorization", administrator), method, in, out, conn, options...)
		}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return milvuspb.NewMilvusServiceClient(conn)
}

// newDatabase is a database of a server's own for one case.
func newDatabase(t testing.TB, url string, multitenancy bool) *api {
	t.Helper()
	a := &api{url: url, database: fmt.Sprintf("db_%d", databases.Add(1)), multitenancy: multitenancy}
	a.MilvusServiceClient = connect(t, url, a.database)
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

// store is our own client of the database.
func (a *api) store(t testing.TB) *milvus.Store {
	t.Helper()
	return newStore(t, milvus.Options{URL: a.url, Database: a.database, Multitenancy: a.multitenancy, Prefix: "open-webui"})
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
		require.NoError(t, err)
		require.Zero(t, status.GetCode(), status.GetReason())
	}
}

func (a *api) collections(t testing.TB) []string {
	t.Helper()
	answer, err := a.ShowCollections(context.Background(), &milvuspb.ShowCollectionsRequest{})
	done(t)(answer.GetStatus(), err)
	return answer.GetCollectionNames()
}

// serverName is what the application makes of the name of a collection.
func (a *api) serverName(collection string) string {
	if !a.multitenancy {
		return "open_webui_" + strings.ReplaceAll(collection, "-", "_")
	}
	switch {
	case strings.HasPrefix(collection, "user-memory-"):
		return "open_webui_memories"
	case strings.HasPrefix(collection, "file-"):
		return "open_webui_files"
	case strings.HasPrefix(collection, "web-search-"):
		return "open_webui_web_search"
	case len(collection) == 63 && strings.Trim(collection, "0123456789abcdefABCDEF") == "":
		return "open_webui_hash_based"
	}
	return "open_webui_knowledge"
}

const dimension = 4

// create makes a collection as the application does, and lets it be loaded by whoever reads.
// Keys may be longer than the 36 characters that it gives them.
func (a *api) create(t testing.TB, name string, dimension int) {
	t.Helper()
	field := func(name string, kind schemapb.DataType, parameters ...*commonpb.KeyValuePair) *schemapb.FieldSchema {
		return &schemapb.FieldSchema{Name: name, DataType: kind, TypeParams: parameters, IsPrimaryKey: name == "id"}
	}
	text := func(name, length string) *schemapb.FieldSchema {
		return field(name, schemapb.DataType_VarChar, pair("max_length", length))
	}
	schema := &schemapb.CollectionSchema{Name: name, EnableDynamicField: !a.multitenancy, Fields: []*schemapb.FieldSchema{
		text("id", "65535"), field("vector", schemapb.DataType_FloatVector, pair("dim", fmt.Sprint(dimension))), field("metadata", schemapb.DataType_JSON),
	}}
	if a.multitenancy {
		schema.Fields = append(schema.Fields, text("text", "65535"), text("resource_id", "255"))
	} else {
		schema.Fields = append(schema.Fields, field("data", schemapb.DataType_JSON))
	}
	encoded, err := proto.Marshal(schema)
	require.NoError(t, err)
	done(t)(a.CreateCollection(t.Context(), &milvuspb.CreateCollectionRequest{CollectionName: name, Schema: encoded, ShardsNum: 1, ConsistencyLevel: commonpb.ConsistencyLevel_Bounded}))
	done(t)(a.CreateIndex(t.Context(), &milvuspb.CreateIndexRequest{CollectionName: name, FieldName: "vector", IndexName: "vector", ExtraParams: []*commonpb.KeyValuePair{
		pair("index_type", "HNSW"), pair("metric_type", "COSINE"), pair("params", `{"M":16,"efConstruction":100}`),
	}}))
}

func pair(key, value string) *commonpb.KeyValuePair {
	return &commonpb.KeyValuePair{Key: key, Value: value}
}

// insert stores chunks as the application does, and loads what it stored into, each
// collection of the server's at the same time.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]vectorstest.Chunk{}
	for _, chunk := range chunks {
		name := a.serverName(chunk.Collection)
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
			for some := range slices.Chunk(set, 2000) {
				a.insertRows(t, name, some)
			}
			a.load(t, name)
			a.count(t, name)
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func (a *api) insertRows(t testing.TB, name string, chunks []vectorstest.Chunk) {
	t.Helper()
	var keys, tenants, texts []string
	var metadata, data [][]byte
	vector := make([]float32, dimension*len(chunks))
	for i, chunk := range chunks {
		keys, tenants, texts = append(keys, chunk.ID), append(tenants, chunk.Collection), append(texts, "the text of "+chunk.ID)
		written := chunk.Metadata()
		if written == nil {
			written = map[string]any{}
		}
		text, err := json.Marshal(written)
		require.NoError(t, err)
		metadata = append(metadata, text)
		text, err = json.Marshal(map[string]string{"text": texts[i]})
		require.NoError(t, err)
		data = append(data, text)
		vector[dimension*i], vector[dimension*i+1] = 1, float32(i)
	}
	fields := []*schemapb.FieldData{textField("id", keys), jsonField("metadata", metadata), {
		Type: schemapb.DataType_FloatVector, FieldName: "vector",
		Field: &schemapb.FieldData_Vectors{Vectors: &schemapb.VectorField{Dim: dimension, Data: &schemapb.VectorField_FloatVector{FloatVector: &schemapb.FloatArray{Data: vector}}}},
	}}
	if a.multitenancy {
		fields = append(fields, textField("resource_id", tenants), textField("text", texts))
	} else {
		fields = append(fields, jsonField("data", data))
	}
	answer, err := a.Insert(t.Context(), &milvuspb.InsertRequest{CollectionName: name, NumRows: uint32(len(chunks)), FieldsData: fields})
	done(t)(answer.GetStatus(), err)
}

func textField(name string, values []string) *schemapb.FieldData {
	return &schemapb.FieldData{Type: schemapb.DataType_VarChar, FieldName: name, Field: &schemapb.FieldData_Scalars{Scalars: &schemapb.ScalarField{
		Data: &schemapb.ScalarField_StringData{StringData: &schemapb.StringArray{Data: values}},
	}}}
}

func jsonField(name string, values [][]byte) *schemapb.FieldData {
	return &schemapb.FieldData{Type: schemapb.DataType_JSON, FieldName: name, Field: &schemapb.FieldData_Scalars{Scalars: &schemapb.ScalarField{
		Data: &schemapb.ScalarField_JsonData{JsonData: &schemapb.JSONArray{Data: values}},
	}}}
}

func (a *api) load(t testing.TB, name string) {
	t.Helper()
	done(t)(a.LoadCollection(context.Background(), &milvuspb.LoadCollectionRequest{CollectionName: name, ReplicaNumber: 1}))
	require.Eventually(t, func() bool {
		answer, err := a.GetLoadState(context.Background(), &milvuspb.GetLoadStateRequest{CollectionName: name})
		done(t)(answer.GetStatus(), err)
		return answer.GetState() == commonpb.LoadState_LoadStateLoaded
	}, time.Minute, 20*time.Millisecond)
}

// ask waits until everything that was written is seen.
func (a *api) ask(t testing.TB, name, expression string, fields ...string) *milvuspb.QueryResults {
	t.Helper()
	answer, err := a.Query(context.Background(), &milvuspb.QueryRequest{
		CollectionName: name, Expr: expression, OutputFields: fields, ConsistencyLevel: commonpb.ConsistencyLevel_Strong,
	})
	done(t)(answer.GetStatus(), err)
	return answer
}

func (a *api) count(t testing.TB, name string) int64 {
	t.Helper()
	return a.ask(t, name, "", "count(*)").GetFieldsData()[0].GetScalars().GetLongData().GetData()[0]
}

func (a *api) keys(t testing.TB, name string) (keys []string) {
	t.Helper()
	for _, field := range a.ask(t, name, `id >= ""`, "id").GetFieldsData() {
		if field.GetFieldName() == "id" {
			keys = append(keys, field.GetScalars().GetStringData().GetData()...)
		}
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
			a.load(t, name)
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
