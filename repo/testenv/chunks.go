package testenv

import (
	"context"
	"fmt"
	"testing"
)

// VectorOptions are the application's settings for vectors in PostgreSQL.
type VectorOptions struct {
	Dim    int    // PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH, 1536 if 0
	Half   bool   // PGVECTOR_USE_HALFVEC
	Crypto string // PGVECTOR_PGCRYPTO_KEY; not empty: text and metadata are encrypted
	Index  bool   // with the vector index, which the application makes once there are 5,000 chunks
}

func (o VectorOptions) dim() int {
	if o.Dim == 0 {
		return 1536
	}
	return o.Dim
}

func (o VectorOptions) vectorType() string {
	if o.Half {
		return "halfvec"
	}
	return "vector"
}

// CreateChunks makes the table of vectors as the application does when it
// starts (open_webui/retrieval/vector/dbs/pgvector.py): not in DATABASE_SCHEMA.
// What is there already stays.
func CreateChunks(ctx context.Context, db DB, o VectorOptions) error {
	if err := createChunkTable(ctx, db, o); err != nil {
		return err
	}
	return indexChunks(ctx, db, o)
}

func createChunkTable(ctx context.Context, db DB, o VectorOptions) error {
	textType, metaType := "text", "jsonb"
	statements := []string{"CREATE EXTENSION IF NOT EXISTS vector SCHEMA public"}
	if o.Crypto != "" {
		textType, metaType = "bytea", "bytea"
		statements = append(statements, "CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public")
	}
	statements = append(statements, fmt.Sprintf(`
CREATE TABLE IF NOT EXISTS public.document_chunk (
	id text NOT NULL,
	vector %s(%d),
	collection_name text NOT NULL,
	text %s,
	vmetadata %s,
	PRIMARY KEY (id)
)`, o.vectorType(), o.dim(), textType, metaType))
	return execAll(ctx, db, "make the table of vectors", statements)
}

// indexChunks uses hnsw for half vectors and otherwise ivfflat, which should
// find the chunks there already.
func indexChunks(ctx context.Context, db DB, o VectorOptions) error {
	statements := []string{`
CREATE INDEX IF NOT EXISTS idx_document_chunk_collection_name ON public.document_chunk (collection_name)`}
	if o.Crypto == "" {
		statements = append(statements, `
CREATE INDEX IF NOT EXISTS idx_document_chunk_text_search
ON public.document_chunk USING gin (to_tsvector('simple', coalesce(text, '')))`)
	}
	if o.Index {
		method := "ivfflat (vector public.vector_cosine_ops) WITH (lists = 100)"
		if o.Half {
			method = "hnsw (vector public.halfvec_cosine_ops) WITH (m = 16, ef_construction = 64)"
		}
		statements = append(statements, `
CREATE INDEX IF NOT EXISTS idx_document_chunk_vector ON public.document_chunk USING `+method)
	}
	return execAll(ctx, db, "index the table of vectors", statements)
}

func execAll(ctx context.Context, db DB, doing string, statements []string) error {
	for _, sql := range statements {
		if _, err := db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return nil
}

// Chunks are the vectors of one file in one collection.
type Chunks struct {
	Collection string // FileCollection of the file if empty
	FileID     string
	N          int // 1 if 0
	Hash       string
	Vectors    VectorOptions // those that the table was made with
}

// FileCollection is the collection that holds one file alone.
func FileCollection(fileID string) string { return "file-" + fileID }

// InsertChunks inserts vectors with the metadata that the application writes,
// and returns their ids.
func InsertChunks(t testing.TB, db DB, c Chunks) []string {
	t.Helper()
	if c.Collection == "" {
		c.Collection = FileCollection(c.FileID)
	}
	owners := []chunkOwner{{collection: c.Collection, fileID: c.FileID, hash: c.Hash}}
	ids, err := insertChunks(context.Background(), db, c.Vectors, owners, max(c.N, 1))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
