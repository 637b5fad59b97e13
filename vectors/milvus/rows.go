package milvus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"

	"pruned/vectors"
)

// Fields of the application's collections, and keys of their metadata.
const (
	keyField    = "id"
	tenantField = "resource_id"
	metaField   = "metadata"

	fileKey  = "file_id"
	makerKey = "created_by"
)

const (
	// keysAtOnce is the most that the server answers to one question, and what is deleted
	// by one request.
	keysAtOnce = 16_384
	// metadataAtOnce bounds a page with metadata, which has about a kilobyte for each.
	metadataAtOnce = 4000
)

// row is a row of a collection.
type row struct {
	key        string
	collection string // of the application's
	file       string // that the metadata names; empty where it was not asked for
	maker      string
}

// question says which rows of a section are listed, and what of them.
type question struct {
	metadata bool     // is read: rows of files alone, of which it says that they are
	files    []string // whose rows are meant; none: anybody's
	keys     []string // that are meant; none: any
	limit    int      // of a page; as many as the server answers if 0
	strong   bool     // waits until all that was written before is seen
}

// listRows lists page by page, by their keys. What the server's filter let through is
// compared here. A page may be empty.
func (s *Store) listRows(ctx context.Context, from section, q question) iter.Seq2[[]row, error] {
	return func(yield func([]row, error) bool) {
		at := cursor{limit: q.pageLimit()}
		for more := true; more; {
			keys, page, err := s.readPage(ctx, from, q, at)
			if errors.Is(err, errTooLarge) && at.limit > 1 {
				at.limit /= 2
				continue
			}
			if !yield(page, err) || err != nil {
				return
			}
			if more = len(keys) == at.limit; more {
				at.begun, at.after = true, keys[len(keys)-1]
			}
		}
	}
}

// cursor is where a page begins, and how long it is.
type cursor struct {
	begun bool
	after string // the key, once begun
	limit int
}

func (c cursor) condition() condition {
	if !c.begun {
		return ""
	}
	return condition(keyField + " > " + quote(c.after))
}

func (q question) pageLimit() int {
	limit := keysAtOnce
	if q.metadata {
		limit = metadataAtOnce
	}
	if q.limit > 0 {
		limit = min(limit, q.limit)
	}
	return limit
}

// readPage is one page: all keys of it, and the rows that are meant.
func (s *Store) readPage(ctx context.Context, from section, q question, at cursor) (keys []string, rows []row, err error) {
	ofFiles, err := s.isOfFiles(ctx, q.files)
	if err != nil {
		return nil, nil, err
	}
	request := &milvuspb.QueryRequest{
		CollectionName:   from.collection.name,
		Expr:             string(allOf(at.condition(), isOneOf(keyField, q.keys), isOneOf(tenantField, from.tenants), ofFiles)),
		OutputFields:     []string{keyField},
		ConsistencyLevel: commonpb.ConsistencyLevel_Bounded,
		QueryParams:      pageParams(at.limit),
	}
	if q.strong {
		request.ConsistencyLevel = commonpb.ConsistencyLevel_Strong
	}
	if from.logical == "" {
		request.OutputFields = append(request.OutputFields, tenantField)
	}
	if q.metadata {
		request.OutputFields = append(request.OutputFields, metaField)
	}
	answer, err := s.query(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	return s.readRows(answer, from, q, at)
}

// pageParams ask for the lowest keys of all, not of the first that comes to hand.
func pageParams(limit int) []*commonpb.KeyValuePair {
	return []*commonpb.KeyValuePair{
		{Key: "limit", Value: strconv.Itoa(limit)}, {Key: "iterator", Value: "True"}, {Key: "reduce_stop_for_best", Value: "True"},
	}
}

// liteVersion begins the version of milvus-lite.
const liteVersion = "milvus_lite"

// isOfFiles compares the metadata, in words that the server knows: the engine reads the
// metadata of each row once for "in", and once for each of many alternatives.
func (s *Store) isOfFiles(ctx context.Context, files []string) (condition, error) {
	if len(files) == 0 {
		return "", nil
	}
	version := s.version.Load()
	if version == nil {
		answer, err := call(ctx, s, "ask for the version", s.server.GetVersion, &milvuspb.GetVersionRequest{})
		if err != nil {
			return "", err
		}
		version = &answer.Version
		s.version.Store(version)
	}
	if strings.HasPrefix(*version, liteVersion) {
		return isFileOneOf(files), nil
	}
	return isOneOf(fileField, files), nil
}

// query loads a collection that is not: the application does so, too, whenever it reads.
// One that is not there has no rows.
func (s *Store) query(ctx context.Context, request *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
	doing := "read collection " + request.GetCollectionName()
	answer, err := call(ctx, s, doing, s.server.Query, request)
	if errors.Is(err, errUnloaded) {
		if err = s.load(ctx, request.GetCollectionName()); err == nil {
			answer, err = call(ctx, s, doing, s.server.Query, request)
		}
	}
	if errors.Is(err, errMissing) {
		return &milvuspb.QueryResults{}, nil
	}
	return answer, err
}

// columns are the fields of an answer, each with a value for each row.
type columns struct {
	keys, tenants []string
	metadata      [][]byte
}

func columnsOf(answer *milvuspb.QueryResults) (c columns) {
	for _, field := range answer.GetFieldsData() {
		switch field.GetFieldName() {
		case keyField:
			c.keys = texts(field)
		case tenantField:
			c.tenants = texts(field)
		case metaField:
			c.metadata = field.GetScalars().GetJsonData().GetData()
		}
	}
	return c
}

func texts(field *schemapb.FieldData) []string { return field.GetScalars().GetStringData().GetData() }

// readRows takes only what was asked for: an answer whose parts do not fit, or whose keys
// do not ascend, is none.
func (s *Store) readRows(answer *milvuspb.QueryResults, from section, q question, at cursor) (keys []string, rows []row, err error) {
	c := columnsOf(answer)
	if from.logical == "" && len(c.tenants) != len(c.keys) || q.metadata && len(c.metadata) != len(c.keys) {
		return nil, nil, unusable("the Milvus server at %s answers about collection %s with rows of which parts are missing", s.host, from.collection.name)
	}
	files, tenants, wanted := vectors.Set(q.files), vectors.Set(from.tenants), vectors.Set(q.keys)
	for i, key := range c.keys {
		if at.begun && key <= at.after {
			return nil, nil, unusable("the Milvus server at %s answers about collection %s with keys that do not ascend", s.host, from.collection.name)
		}
		at.begun, at.after = true, key
		r := row{key: key, collection: from.logical}
		if from.logical == "" {
			r.collection = c.tenants[i]
		}
		if q.metadata {
			r.file, r.maker = readMetadata(c.metadata[i])
		}
		if isMeant(tenants, r.collection) && isMeant(wanted, key) && isMeant(files, r.file) {
			rows = append(rows, r)
		}
	}
	return c.keys, rows, nil
}

// readMetadata is the file of a chunk, and who made it. Without a name it is not Open
// WebUI's.
func readMetadata(text []byte) (file, maker string) {
	var metadata map[string]any
	if json.Unmarshal(text, &metadata) != nil {
		return "", ""
	}
	maker, _ = metadata[makerKey].(string)
	if _, named := metadata[vectors.NameKey]; named {
		file, _ = metadata[fileKey].(string)
	}
	return file, maker
}

// isMeant: an empty set means any.
func isMeant(values map[string]bool, one string) bool { return len(values) == 0 || values[one] }

// countRows counts what is in a whole collection, as far as the server knows by now: an
// answer costs it nothing, and a collection that is not loaded has none.
func (s *Store) countRows(ctx context.Context, c collection) (int64, error) {
	answer, err := call(ctx, s, "count the rows of collection "+c.name, s.server.Query, &milvuspb.QueryRequest{
		CollectionName: c.name, OutputFields: []string{"count(*)"}, ConsistencyLevel: commonpb.ConsistencyLevel_Eventually,
	})
	if errors.Is(err, errUnloaded) || errors.Is(err, errMissing) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, field := range answer.GetFieldsData() {
		if n := field.GetScalars().GetLongData().GetData(); len(n) == 1 {
			return n[0], nil
		}
	}
	return 0, fmt.Errorf("count the rows of collection %s: the answer has no number", c.name)
}
