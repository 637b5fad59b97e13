package testenv

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// MilvusData is one database of a Milvus server, asked by the administrator as Open WebUI's
// client asks, in one of its two modes.
type MilvusData struct {
	milvuspb.MilvusServiceClient
	conn *grpc.ClientConn
	// Multitenancy is five collections of the server's for all of the application's.
	Multitenancy bool
}

// MilvusRow is a row of a collection of the application's.
type MilvusRow struct {
	ID, Collection string
	Metadata       map[string]any
}

// File is the file that the metadata names.
func (r MilvusRow) File() string {
	file, _ := r.Metadata["file_id"].(string)
	return file
}

// OpenMilvus connects to a server; empty is its default database.
func OpenMilvus(url, database string, multitenancy bool) (*MilvusData, error) {
	administrator := base64.StdEncoding.EncodeToString([]byte(MilvusToken))
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimPrefix(url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<28)),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, in, out any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			return invoke(metadata.AppendToOutgoingContext(ctx, "dbname", database, "authorization", administrator), method, in, out, conn, options...)
		}))
	if err != nil {
		return nil, err
	}
	return &MilvusData{milvuspb.NewMilvusServiceClient(conn), conn, multitenancy}, nil
}

// Close lets go of the connection.
func (d *MilvusData) Close() error { return d.conn.Close() }

// MilvusDone is the error that an answer tells of, or that came in its place.
func MilvusDone(status *commonpb.Status, err error) error {
	if err == nil && status.GetCode() != 0 {
		err = fmt.Errorf("code %d: %s", status.GetCode(), status.GetReason())
	}
	return err
}

// Collections are the names on the server.
func (d *MilvusData) Collections(ctx context.Context) ([]string, error) {
	answer, err := d.ShowCollections(ctx, &milvuspb.ShowCollectionsRequest{})
	return answer.GetCollectionNames(), MilvusDone(answer.GetStatus(), err)
}

// ServerName is what the application makes of the name of a collection.
func (d *MilvusData) ServerName(collection string) string {
	if !d.Multitenancy {
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

// MilvusDimension is that of the vectors of Insert.
const MilvusDimension = 4

// Create makes a collection as the application does, and lets it be loaded by whoever reads.
// Keys may be longer than the 36 characters that it gives them.
func (d *MilvusData) Create(ctx context.Context, name string, dimension int) error {
	field := func(name string, kind schemapb.DataType, parameters ...*commonpb.KeyValuePair) *schemapb.FieldSchema {
		return &schemapb.FieldSchema{Name: name, DataType: kind, TypeParams: parameters, IsPrimaryKey: name == "id"}
	}
	text := func(name, length string) *schemapb.FieldSchema {
		return field(name, schemapb.DataType_VarChar, milvusPair("max_length", length))
	}
	schema := &schemapb.CollectionSchema{Name: name, EnableDynamicField: !d.Multitenancy, Fields: []*schemapb.FieldSchema{
		text("id", "65535"), field("vector", schemapb.DataType_FloatVector, milvusPair("dim", fmt.Sprint(dimension))), field("metadata", schemapb.DataType_JSON),
	}}
	if d.Multitenancy {
		schema.Fields = append(schema.Fields, text("text", "65535"), text("resource_id", "255"))
	} else {
		schema.Fields = append(schema.Fields, field("data", schemapb.DataType_JSON))
	}
	encoded, err := proto.Marshal(schema)
	if err != nil {
		return err
	}
	err = MilvusDone(d.CreateCollection(ctx, &milvuspb.CreateCollectionRequest{CollectionName: name, Schema: encoded, ShardsNum: 1, ConsistencyLevel: commonpb.ConsistencyLevel_Bounded}))
	if err != nil {
		return err
	}
	return MilvusDone(d.CreateIndex(ctx, &milvuspb.CreateIndexRequest{CollectionName: name, FieldName: "vector", IndexName: "vector", ExtraParams: []*commonpb.KeyValuePair{
		milvusPair("index_type", "HNSW"), milvusPair("metric_type", "COSINE"), milvusPair("params", `{"M":16,"efConstruction":100}`),
	}}))
}

func milvusPair(key, value string) *commonpb.KeyValuePair {
	return &commonpb.KeyValuePair{Key: key, Value: value}
}

// Insert stores rows in one of the server's collections, as the application does. They are
// seen by who asks with the strongest consistency.
func (d *MilvusData) Insert(ctx context.Context, name string, rows ...MilvusRow) error {
	for some := range slices.Chunk(rows, 2000) {
		fields, err := d.fieldsOf(some)
		if err != nil {
			return err
		}
		answer, err := d.MilvusServiceClient.Insert(ctx, &milvuspb.InsertRequest{CollectionName: name, NumRows: uint32(len(some)), FieldsData: fields})
		if err := MilvusDone(answer.GetStatus(), err); err != nil {
			return err
		}
	}
	return nil
}

func (d *MilvusData) fieldsOf(rows []MilvusRow) ([]*schemapb.FieldData, error) {
	var keys, tenants, texts []string
	var written, data [][]byte
	vector := make([]float32, MilvusDimension*len(rows))
	for i, row := range rows {
		keys, tenants, texts = append(keys, row.ID), append(tenants, row.Collection), append(texts, "the text of "+row.ID)
		if row.Metadata == nil {
			row.Metadata = map[string]any{}
		}
		metadata, err := json.Marshal(row.Metadata)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(map[string]string{"text": texts[i]})
		if err != nil {
			return nil, err
		}
		written, data = append(written, metadata), append(data, text)
		vector[MilvusDimension*i], vector[MilvusDimension*i+1] = 1, float32(i)
	}
	fields := []*schemapb.FieldData{MilvusTexts("id", keys), milvusJSON("metadata", written), {
		Type: schemapb.DataType_FloatVector, FieldName: "vector",
		Field: &schemapb.FieldData_Vectors{Vectors: &schemapb.VectorField{Dim: MilvusDimension, Data: &schemapb.VectorField_FloatVector{FloatVector: &schemapb.FloatArray{Data: vector}}}},
	}}
	if d.Multitenancy {
		return append(fields, MilvusTexts("resource_id", tenants), MilvusTexts("text", texts)), nil
	}
	return append(fields, milvusJSON("data", data)), nil
}

// MilvusTexts is a field of texts, one for each row.
func MilvusTexts(name string, values []string) *schemapb.FieldData {
	return &schemapb.FieldData{Type: schemapb.DataType_VarChar, FieldName: name, Field: &schemapb.FieldData_Scalars{Scalars: &schemapb.ScalarField{
		Data: &schemapb.ScalarField_StringData{StringData: &schemapb.StringArray{Data: values}},
	}}}
}

func milvusJSON(name string, values [][]byte) *schemapb.FieldData {
	return &schemapb.FieldData{Type: schemapb.DataType_JSON, FieldName: name, Field: &schemapb.FieldData_Scalars{Scalars: &schemapb.ScalarField{
		Data: &schemapb.ScalarField_JsonData{JsonData: &schemapb.JSONArray{Data: values}},
	}}}
}

// Load has a collection of the server's in its memory, so that it can be asked.
func (d *MilvusData) Load(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := MilvusDone(d.LoadCollection(ctx, &milvuspb.LoadCollectionRequest{CollectionName: name, ReplicaNumber: 1})); err != nil {
		return err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		answer, err := d.GetLoadState(ctx, &milvuspb.GetLoadStateRequest{CollectionName: name})
		if err := MilvusDone(answer.GetStatus(), err); err != nil || answer.GetState() == commonpb.LoadState_LoadStateLoaded {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Ask waits until everything that was written is seen.
func (d *MilvusData) Ask(ctx context.Context, name, expression string, fields ...string) (*milvuspb.QueryResults, error) {
	answer, err := d.Query(ctx, &milvuspb.QueryRequest{
		CollectionName: name, Expr: expression, OutputFields: fields, ConsistencyLevel: commonpb.ConsistencyLevel_Strong,
		QueryParams: []*commonpb.KeyValuePair{milvusPair("iterator", "True"), milvusPair("reduce_stop_for_best", "True"), milvusPair("limit", fmt.Sprint(milvusPage))},
	})
	return answer, MilvusDone(answer.GetStatus(), err)
}

// milvusPage is how many rows are asked for at a time.
const milvusPage = 8000

// Rows are those of one of the server's collections, in the order of their ids. A
// collection that has gone has none.
func (d *MilvusData) Rows(ctx context.Context, name string) (rows []MilvusRow, err error) {
	if err := d.Load(ctx, name); err != nil {
		names, failed := d.Collections(ctx)
		if failed == nil && !slices.Contains(names, name) {
			return nil, nil
		}
		return nil, errors.Join(err, failed)
	}
	for where := `id >= ""`; ; where = fmt.Sprintf(`id > %q`, rows[len(rows)-1].ID) {
		page, err := d.readPage(ctx, name, where)
		rows = append(rows, page...)
		if err != nil || len(page) < milvusPage {
			return rows, err
		}
	}
}

func (d *MilvusData) readPage(ctx context.Context, name, where string) ([]MilvusRow, error) {
	fields := []string{"id", "metadata"}
	if d.Multitenancy {
		fields = append(fields, "resource_id")
	}
	answer, err := d.Ask(ctx, name, where, fields...)
	if err != nil {
		return nil, fmt.Errorf("read collection %s: %w", name, err)
	}
	columns := map[string]*schemapb.ScalarField{}
	for _, field := range answer.GetFieldsData() {
		columns[field.GetFieldName()] = field.GetScalars()
	}
	var rows []MilvusRow
	for i, id := range columns["id"].GetStringData().GetData() {
		row := MilvusRow{ID: id, Collection: name}
		if d.Multitenancy {
			row.Collection = columns["resource_id"].GetStringData().GetData()[i]
		}
		if err := json.Unmarshal(columns["metadata"].GetJsonData().GetData()[i], &row.Metadata); err != nil {
			return nil, fmt.Errorf("read the metadata of %s: %w", id, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
