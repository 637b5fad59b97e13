package milvus

import (
	"context"
	"errors"
	"strings"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"

	"pruned/repo/trace"
)

var _ trace.Searcher = (*Store)(nil)

const (
	traceStore = "milvus"
	// tracedAtOnce bounds a page of rows with their texts.
	tracedAtOnce = 1000
)

var errNoTextKey = errors.New("its keys are no texts, so it is not Open WebUI's: its name alone was searched")

// Trace reads every collection of our database, whoever made it: its name, and of each row
// all texts. What is somebody else's and not loaded stays so, and is told.
func (s *Store) Trace(ctx context.Context, search *trace.Search) error {
	names, err := s.listNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names.sorted() {
		told := name // by the server, which has no dashes
		if logical, is := s.layout.logical(name); is {
			told = logical
		}
		place := trace.Place{Store: traceStore, Table: name, Column: "name", Count: search.Count([]byte(told))}
		if err := search.AddCount(place); err != nil {
			return err
		}
		switch err := s.traceCollection(ctx, search, name); {
		case errors.Is(err, errUnloaded), errors.Is(err, errNoTextKey):
			search.NoteGap(traceStore, name, err)
		case err != nil && !errors.Is(err, errMissing):
			return err
		default:
			search.NoteSearched(traceStore, name)
		}
	}
	return nil
}

func (s *Store) traceCollection(ctx context.Context, search *trace.Search, name string) error {
	described, err := call(ctx, s, "describe collection "+name, s.server.DescribeCollection, &milvuspb.DescribeCollectionRequest{CollectionName: name})
	if err != nil {
		return err
	}
	key, fields := textFields(described.GetSchema())
	if key == "" {
		return errNoTextKey
	}
	ask := s.query
	if !s.layout.accepts(name) {
		ask = func(ctx context.Context, request *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
			return call(ctx, s, "read collection "+name, s.server.Query, request)
		}
	}
	seen := int64(0)
	for after, limit := key+` >= ""`, tracedAtOnce; ; {
		answer, err := ask(ctx, &milvuspb.QueryRequest{CollectionName: name, Expr: after, OutputFields: fields, ConsistencyLevel: commonpb.ConsistencyLevel_Strong, QueryParams: pageParams(limit)})
		if errors.Is(err, errTooLarge) && limit > 1 {
			limit /= 2
			continue
		}
		if err != nil {
			return err
		}
		last, rows, err := tracePage(search, name, key, answer)
		if err != nil || rows < limit {
			return err
		}
		after = key + " > " + quote(last)
		seen += int64(rows)
		search.Progress(traceStore+" "+name, seen, 0)
	}
}

// textFields are those that hold texts, and which of them is the key.
func textFields(schema *schemapb.CollectionSchema) (key string, fields []string) {
	for _, field := range schema.GetFields() {
		switch field.GetDataType() {
		case schemapb.DataType_VarChar, schemapb.DataType_JSON:
			fields = append(fields, field.GetName())
			if field.GetIsPrimaryKey() {
				key = field.GetName()
			}
		}
	}
	return key, fields
}

// tracePage searches the rows of an answer, which are in the order of their keys.
func tracePage(search *trace.Search, name, key string, answer *milvuspb.QueryResults) (last string, rows int, err error) {
	values := map[string][]string{}
	for _, field := range answer.GetFieldsData() {
		list := texts(field)
		for _, text := range field.GetScalars().GetJsonData().GetData() {
			list = append(list, string(text))
		}
		values[field.GetFieldName()] = list
	}
	for column, list := range values {
		for i, text := range list[:min(len(list), len(values[key]))] {
			place := trace.Place{Store: traceStore, Table: name, Row: values[key][i], Column: column, Count: search.Count([]byte(text))}
			if err := search.AddCount(place); err != nil {
				return "", 0, err
			}
		}
	}
	for _, one := range values[key] {
		if strings.Compare(one, last) > 0 {
			last = one
		}
	}
	return last, len(values[key]), nil
}
