package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/pgvector"
)

// searchSQL is what the application's client of pgvector sends for a search (0.12.4,
// retrieval/vector/dbs/pgvector.py).
const searchSQL = `
SELECT query_vectors.qid, result.id, result.text, result.vmetadata, result.distance
  FROM (VALUES (0, CAST(ARRAY[1, 0, 0] AS vector(3)))) AS query_vectors (qid, q_vector)
  JOIN LATERAL (SELECT document_chunk.id AS id, document_chunk.text AS text, document_chunk.vmetadata AS vmetadata,
                       document_chunk.vector <=> query_vectors.q_vector AS distance
                  FROM document_chunk
                 WHERE document_chunk.collection_name = $1
                 ORDER BY document_chunk.vector <=> query_vectors.q_vector
                 LIMIT 10) AS result ON true
 ORDER BY query_vectors.qid, result.distance`

// library is a knowledge base of 5,000 chunks. A file's sixty lie nearest to what is searched
// for, and one after the other, as those of one document do.
const library = "b0000000-0000-4000-8000-000000000000"

func (i *installation) fillLibrary(t *testing.T, method string, near ...string) {
	t.Helper()
	i.Exec(t, `ALTER TABLE document_chunk SET (autovacuum_enabled = off)`)
	i.Exec(t, `INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
		SELECT 'far' || n, array[-random(), random(), random() - 0.5]::vector, $1, repeat('some text ', 60), jsonb_build_object('file_id', 'f', 'name', 'a')
		  FROM generate_series(1, 5000) n`, library)
	for n, id := range near {
		i.Exec(t, `INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
			SELECT 'near' || $3::int || '-' || n, array[1, (n + 100 * $3) / 1000.0, 0]::vector, $1, 'some text', jsonb_build_object('file_id', $2::text, 'name', 'a')
			  FROM generate_series(1, 60) n`, library, id, n)
	}
	if method != "" {
		i.Exec(t, `CREATE INDEX idx_document_chunk_vector ON document_chunk USING `+method)
	}
	i.Exec(t, `ANALYZE document_chunk`)
	if method == hnsw {
		i.drawGraph(t)
	}
}

// drawGraph makes the index anew until chunks that went hide all others. An hnsw graph is drawn
// by lot, and in some a search finds its way out of the document that went.
func (i *installation) drawGraph(t *testing.T) {
	t.Helper()
	for range 20 {
		if i.searchWithout(t, "near%") == 0 {
			return
		}
		i.Exec(t, `REINDEX INDEX idx_document_chunk_vector`)
	}
	t.Fatal("no graph hides anything")
}

const (
	hnsw    = `hnsw (vector vector_cosine_ops) WITH (m = 16, ef_construction = 64)`
	ivfflat = `ivfflat (vector vector_cosine_ops) WITH (lists = 100)`
)

// search counts what the application finds. settings are those of its transaction.
func (i *installation) search(t *testing.T, settings ...string) (found int) {
	t.Helper()
	return i.searchWithout(t, "", settings...)
}

// searchWithout counts what it would find without chunks of such ids.
func (i *installation) searchWithout(t *testing.T, ids string, settings ...string) (found int) {
	t.Helper()
	conn := i.Conn(t)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }()
	for _, s := range append(settings, "enable_seqscan = off", "enable_bitmapscan = off") {
		_, err = tx.Exec(t.Context(), "SET LOCAL "+s)
		require.NoError(t, err)
	}
	_, err = tx.Exec(t.Context(), `DELETE FROM document_chunk WHERE id LIKE $1`, ids)
	require.NoError(t, err)
	rows, err := tx.Query(t.Context(), searchSQL, library)
	require.NoError(t, err)
	hits, err := pgx.CollectRows(rows, func(pgx.CollectableRow) (struct{}, error) { return struct{}{}, nil })
	require.NoError(t, err)
	return len(hits)
}

func (i *installation) vacuums(t *testing.T) int {
	t.Helper()
	return testenv.Value[int](t, i.Database, `SELECT vacuum_count FROM pg_stat_all_tables WHERE relid = 'document_chunk'::regclass`)
}

// After a drain a search of an hnsw index finds what is left near the chunks that went.
// What the application deletes itself shows what it would find without.
func TestDrainMendsSearches(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 4, 1)
	i.fillLibrary(t, hnsw, seeded.Orphans[0], seeded.InUse[0])
	require.Equal(t, 10, i.search(t))
	i.publish(t, seeded.Orphans...)
	require.Equal(t, 1, i.drain(t).Deleted)
	require.Equal(t, 60, testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE id LIKE 'near%'`))
	require.Equal(t, 10, i.search(t))
	require.Equal(t, 1, i.vacuums(t))

	i.drawGraph(t)
	i.Exec(t, `DELETE FROM document_chunk WHERE id LIKE 'near%'`)
	require.Zero(t, i.search(t))
	i.Exec(t, `VACUUM document_chunk`)
	require.Zero(t, i.search(t), "too few pages for VACUUM to look into indexes")
	i.must(t, "vacuum")
	require.Equal(t, 10, i.search(t))
}

// Where nothing went, and where no VACUUM mends a search, nothing is vacuumed: without an
// index it finds everything; of an ivfflat index it looks at one list, which may be empty
// now, unless it goes on to others, as by default.
func TestDrainVacuumsNoOtherIndex(t *testing.T) {
	t.Parallel()
	for method, settings := range map[string][]string{"": nil, ivfflat: {"ivfflat.iterative_scan = relaxed_order"}} {
		i := install(t, testenv.Vectors(small))
		seeded := i.seed(t, 4, 1)
		i.fillLibrary(t, method, seeded.Orphans[0])
		i.publish(t, seeded.Orphans...)
		require.Equal(t, 1, i.drain(t).Deleted)
		require.Equal(t, 10, i.search(t, settings...), method)
		require.Zero(t, i.vacuums(t), method)
		alone := i.search(t)
		i.Exec(t, `VACUUM (INDEX_CLEANUP ON) document_chunk`)
		require.Equal(t, alone, i.search(t), method)
	}
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 4, 1)
	i.fillLibrary(t, hnsw, seeded.InUse[0])
	i.publish(t, seeded.InUse...)
	require.Equal(t, 3, i.drain(t).Kept)
	require.Zero(t, i.vacuums(t))
}

// A role that may not vacuum is told, once, who may, and deletes all the same.
func TestDrainTellsWhoMayVacuum(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 4, 1)
	i.fillLibrary(t, hnsw, seeded.Orphans[0])
	i.must(t, "migrate")
	as := i.with("DATABASE_URL=" + strings.Replace(i.URL, "postgres@", i.grantedRole(t)+"@", 1))
	as.publish(t, seeded.Orphans...)
	status, _, errs := as.pruned(t, "", "run", "--drain")
	require.Equal(t, exitDone, status, errs)
	require.Equal(t, 1, strings.Count(errs, "the chunks were not vacuumed"), errs)
	require.Contains(t, errs, "as postgres: VACUUM (ANALYZE, INDEX_CLEANUP ON) public.document_chunk;")
	require.Zero(t, i.search(t))
	require.Contains(t, ask[diagnosis](t, as, "doctor").of(t, "disk").Remedy, "INDEX_CLEANUP ON) public.document_chunk;")
	require.NotContains(t, ask[diagnosis](t, i, "doctor").of(t, "disk").Remedy, "INDEX_CLEANUP")
}

// grantedRole is a role with what `doctor --grants` says.
func (i *installation) grantedRole(t *testing.T) string {
	t.Helper()
	role := "granted_" + i.Name
	i.Exec(t, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() {
		i.Exec(t, `DROP OWNED BY `+role+` CASCADE`)
		i.Exec(t, `DROP ROLE `+role)
	})
	for statement := range strings.Lines(i.must(t, "doctor", "--grants", role)) {
		i.Exec(t, statement)
	}
	return role
}

// A daemon vacuums once chunks went; what is locked, or kept by an old transaction, it tries
// again.
func TestDaemonVacuumsChunks(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.fillLibrary(t, hnsw, "near")
	store, err := pgvector.New(t.Context(), pgvector.Options{URL: i.URL})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	var log output
	v := &chunkVacuum{store: store, url: i.URL, log: zerolog.New(&log), look: time.Millisecond, rest: time.Millisecond}
	other := i.Conn(t)
	exec := func(sql string) {
		_, err := other.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	exec(`BEGIN; LOCK TABLE document_chunk IN SHARE UPDATE EXCLUSIVE MODE`)
	i.Exec(t, `DELETE FROM document_chunk WHERE id LIKE 'near%'`)
	v.removed.Add(60)
	v.vacuum(t.Context())
	require.Contains(t, log.String(), "somebody else has public.document_chunk locked")
	exec(`ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM file LIMIT 1`)
	i.Exec(t, `INSERT INTO document_chunk (id, collection_name) SELECT 'd' || n, 'c' FROM generate_series(1, 60) n`)
	i.Exec(t, `DELETE FROM document_chunk WHERE collection_name = 'c'`)
	v.vacuum(t.Context())
	require.Contains(t, log.String(), "a transaction that is still open keeps the rows")
	exec(`ROLLBACK`)

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { v.run(ctx); close(ended) }()
	require.Eventually(t, func() bool { return v.removed.Load() == 0 && strings.Contains(log.String(), "vacuumed, so that") }, signalTimeout, pollEvery)
	stop()
	<-ended
	require.Equal(t, 10, i.search(t))
}
