package demo

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

//go:embed chroma.sql
var chromaSchema string

const chunksPerFile = 3

// chroma writes an embedded Chroma as the application leaves it: the METADATA
// segment of a collection is rows of it, the VECTOR segment a folder beside it,
// and what was added last waits in a queue.
type chroma struct {
	*writer
	dir      string
	segments map[string]segment // by the collection's name
	n        int                // chunks
}

type segment struct{ topic, metadata string }

func newChroma(ctx context.Context, path string) (*chroma, error) {
	w, err := newWriter(ctx, path, "DELETE", chromaSchema)
	if err != nil {
		return nil, err
	}
	return &chroma{writer: w, dir: filepath.Dir(path), segments: map[string]segment{}}, nil
}

// addChunks adds chunks of a file to a collection, which is made if it is not there.
func (c *chroma) addChunks(collection, file string, chunks int) error {
	s, ok := c.segments[collection]
	if !ok {
		var err error
		if s, err = c.makeCollection(collection); err != nil {
			return err
		}
	}
	for i := range chunks {
		if err := c.addChunk(s, file, i); err != nil {
			return err
		}
	}
	return c.execInsert(`INSERT INTO max_seq_id VALUES (?, ?) ON CONFLICT DO UPDATE SET seq_id = excluded.seq_id`, s.metadata, c.n)
}

const noDatabase = "00000000-0000-0000-0000-000000000000" // the default one's id

func (c *chroma) makeCollection(name string) (segment, error) {
	collection, vector := uuid.NewString(), uuid.NewString()
	s := segment{topic: "persistent://default/default/" + collection, metadata: uuid.NewString()}
	c.segments[name] = s
	for _, insert := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO collections VALUES (?, ?, 4, ?, '{}', NULL)`, []any{collection, name, noDatabase}},
		{`INSERT INTO collection_metadata (collection_id, key, str_value) VALUES (?, 'hnsw:space', 'cosine')`, []any{collection}},
		{`INSERT INTO segments VALUES (?, 'urn:chroma:segment/vector/hnsw-local-persisted', 'VECTOR', ?)`, []any{vector, collection}},
		{`INSERT INTO segments VALUES (?, 'urn:chroma:segment/metadata/sqlite', 'METADATA', ?)`, []any{s.metadata, collection}},
	} {
		if err := c.execInsert(insert.sql, insert.args...); err != nil {
			return s, err
		}
	}
	folder := filepath.Join(c.dir, vector)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return s, err
	}
	return s, os.WriteFile(filepath.Join(folder, "header.bin"), make([]byte, 100), 0o600)
}

// addChunk adds one chunk: to the queue, and to the tables that were filled from it.
func (c *chroma) addChunk(s segment, file string, i int) error {
	c.n++
	id := uuid.NewString()
	document := fmt.Sprintf("Part %d of the report of file %s.", i+1, file)
	metadata := map[string]any{"chroma:document": document, "file_id": file, "name": "report.txt"}
	if err := c.execInsert(`INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding, metadata) VALUES (?, 0, ?, ?, ?, 'FLOAT32', ?)`,
		c.n, s.topic, id, make([]byte, 16), encodeJSON(metadata)); err != nil {
		return err
	}
	if err := c.execInsert(`INSERT INTO embeddings (id, segment_id, embedding_id, seq_id) VALUES (?, ?, ?, ?)`, c.n, s.metadata, id, c.n); err != nil {
		return err
	}
	for key, value := range metadata {
		if err := c.execInsert(`INSERT INTO embedding_metadata (id, key, string_value) VALUES (?, ?, ?)`, c.n, key, value); err != nil {
			return err
		}
	}
	return c.execInsert(`INSERT INTO embedding_fulltext_search (rowid, string_value) VALUES (?, ?)`, c.n, document)
}
