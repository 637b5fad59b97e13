package pgvector_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

// benchFiles makes 2,000 files of ten chunks with vectors of 1,536 dimensions,
// which are stored out of line as those of real texts are; every fourth file is
// in a knowledge base too.
const benchFiles = `
INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
SELECT gen_random_uuid()::text, p.v, c, repeat(md5(f || '/' || n), 30),
       jsonb_build_object('file_id', f::text, 'hash', md5(f::text), 'name', repeat('n', 200))
  FROM generate_series(1, 2000) AS f, generate_series(1, 10) AS n,
       LATERAL (SELECT 'file-' || f UNION ALL SELECT 'b0000000-0000-4000-8000-00000000ba5e' WHERE f % 4 = 0) AS v (c),
       LATERAL (SELECT v FROM pool WHERE pool.i = n) AS p`

const benchPool = `
CREATE TABLE pool AS
SELECT i, (SELECT array_agg(random())::vector(1536) FROM generate_series(i, i + 1535)) AS v
  FROM generate_series(1, 10) AS i`

// BenchmarkDelete compares Join of 500 files with the least that could be done
// for them, a DELETE by collection, in transactions that are rolled back.
func BenchmarkDelete(b *testing.B) {
	db := testenv.New(b, testenv.Vectors(testenv.VectorOptions{}))
	db.Exec(b, benchPool)
	db.Exec(b, benchFiles)
	require.NoError(b, testenv.CreateChunks(b.Context(), db.Pool, testenv.VectorOptions{Index: true}))
	store, err := pgvector.New(b.Context(), pgvector.Options{URL: db.URL})
	require.NoError(b, err)
	b.Cleanup(store.Close)
	require.NoError(b, store.Index(b.Context()))
	db.Exec(b, "VACUUM ANALYZE document_chunk")

	ids, collections := make([]string, 500), make([]string, 500)
	for n := range ids {
		ids[n], collections[n] = fmt.Sprint(n+1), fmt.Sprintf("file-%d", n+1)
	}
	measure := func(name string, remove func(ctx context.Context, tx tx) (int64, error)) {
		b.Run(name, func(b *testing.B) {
			var chunks int64
			for b.Loop() {
				b.StopTimer()
				tx := begin(b, db)
				b.StartTimer()
				if chunks, err = remove(b.Context(), tx); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				require.NoError(b, tx.Rollback(b.Context()))
				require.NoError(b, tx.Conn().Close(b.Context()))
				b.StartTimer()
			}
			b.ReportMetric(float64(chunks), "chunks/op")
		})
	}
	measure("bare", func(ctx context.Context, tx tx) (int64, error) {
		return tx.Exec(ctx, "DELETE FROM public.document_chunk WHERE collection_name = ANY($1::text[])", collections)
	})
	measure("join", func(ctx context.Context, tx tx) (int64, error) {
		chunks, _, err := store.RemoveInTx(ctx, tx, ids)
		return chunks, err
	})
	require.NoError(b, store.DropIndex(b.Context()))
	measure("join/no index", func(ctx context.Context, tx tx) (int64, error) {
		chunks, _, err := store.RemoveInTx(ctx, tx, ids)
		return chunks, err
	})
	measure("remove/no index", func(ctx context.Context, tx tx) (int64, error) {
		removed, err := store.Remove(ctx, tx, ids)
		return removed.Chunks, err
	})
}

// BenchmarkRemove removes files of ten chunks each from another database, half of them in a
// knowledge base, beside the same by two plain deletes. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	files := vectorstest.FilesToRemove(b)
	db := testenv.New(b, testenv.Vectors(testenv.VectorOptions{}))
	db.Exec(b, benchPool)
	store, err := pgvector.NewRemote(b.Context(), pgvector.Options{URL: db.URL})
	require.NoError(b, err)
	b.Cleanup(store.Close)
	require.NoError(b, store.Index(b.Context()))
	measure := func(remove func(ids, own []string)) time.Duration {
		db.Exec(b, `INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
			SELECT f || '-' || n, p.v, CASE WHEN n % 2 = 0 THEN 'b0000000-0000-4000-8000-00000000ba5e' ELSE 'file-' || f END, repeat(md5(f || '/' || n), 30),
			       jsonb_build_object('file_id', f::text, 'name', repeat('n', 200))
			  FROM generate_series(1, $1::int) AS f, generate_series(1, 10) AS n JOIN pool AS p ON p.i = n`, files)
		db.Exec(b, "VACUUM ANALYZE document_chunk")
		began := time.Now()
		for n := 1; n <= files; n += 500 {
			var ids, own []string
			for f := n; f < min(n+500, files+1); f++ {
				ids, own = append(ids, strconv.Itoa(f)), append(own, fmt.Sprintf("file-%d", f))
			}
			remove(ids, own)
		}
		took := time.Since(began)
		require.Zero(b, testenv.Value[int](b, db, "SELECT count(*) FROM document_chunk"))
		return took
	}
	for b.Loop() {
		bulk := measure(func(ids, own []string) {
			db.Exec(b, `DELETE FROM document_chunk WHERE collection_name = ANY($1)`, own)
			db.Exec(b, `DELETE FROM document_chunk WHERE vmetadata->>'file_id' = ANY($1) AND collection_name NOT LIKE 'file-%'`, ids)
		})
		took := measure(func(ids, _ []string) {
			_, err := store.Remove(b.Context(), nil, ids)
			require.NoError(b, err)
		})
		b.ReportMetric(float64(files)/took.Seconds(), "files/s")
		b.ReportMetric(float64(files)/bulk.Seconds(), "bulk-files/s")
		b.ReportMetric(bulk.Seconds()/took.Seconds(), "of-bulk")
	}
}
