package testenv

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// chunkOwner says whose chunks are inserted, and into which collection.
type chunkOwner struct{ collection, fileID, hash string }

// insertChunks inserts n chunks for each owner. The server makes a few random
// vectors and deals them out: sending them would take longer than all the rest,
// and equal vectors take as much space as different ones. Hashes that are not
// given are made from the file id, as a hash of content would be: constant.
func insertChunks(ctx context.Context, db DB, o VectorOptions, owners []chunkOwner, n int) ([]string, error) {
	var collections, files, hashes []string
	for _, owner := range owners {
		collections = append(collections, owner.collection)
		files = append(files, owner.fileID)
		hashes = append(hashes, owner.hash)
	}
	args := []any{collections, files, hashes, n, o.dim(), min(pooledVectors, len(owners)*n)}
	text, metadata := "text", "metadata"
	if o.Crypto != "" {
		text, metadata = "public.pgp_sym_encrypt(text, $7)", "public.pgp_sym_encrypt(metadata::text, $7)"
		args = append(args, o.Crypto)
	}
	rows, _ := db.Query(ctx, fmt.Sprintf(insertChunksSQL, o.vectorType(), text, metadata), args...) // an error comes out of the rows as well
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("insert %d chunks for each of %d files: %w", n, len(owners), err)
	}
	return ids, nil
}

const pooledVectors = 128

// insertChunksSQL groups by the pool's number so that random() is evaluated for
// every element of every vector, instead of once.
const insertChunksSQL = `
WITH pool AS MATERIALIZED (
	SELECT k,
		array_agg((random() * 2 - 1)::real)::public.%s AS vector,
		(SELECT string_agg(md5(k::text || word::text), ' ') FROM generate_series(1, 28) AS word) AS text
	FROM generate_series(0, $6::int - 1) AS k, generate_series(1, $5::int)
	GROUP BY k
), chunk AS (
	SELECT owner.collection, pool.vector, pool.text, jsonb_build_object(
		'file_id', owner.file_id,
		'name', 'document.pdf',
		'source', 'document.pdf',
		'hash', coalesce(nullif(owner.hash, ''), md5(owner.file_id) || md5(reverse(owner.file_id))),
		'created_by', 'user',
		'start_index', (piece - 1) * 900,
		'embedding_config', '{''engine'': '''', ''model'': ''sentence-transformers/all-MiniLM-L6-v2''}'
	) AS metadata
	FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS owner (collection, file_id, hash, nth)
	CROSS JOIN generate_series(1, $4::int) AS piece
	JOIN pool ON pool.k = (owner.nth * 31 + piece) %% $6::int
)
INSERT INTO public.document_chunk (id, vector, collection_name, text, vmetadata)
SELECT gen_random_uuid()::text, vector, collection, %s, %s FROM chunk
RETURNING id`
