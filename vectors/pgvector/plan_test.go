package pgvector_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
)

// explaining explains every statement before it runs it.
type explaining struct {
	tx
	t     *testing.T
	plans *[]string
}

func (e explaining) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	rows, _ := e.Query(ctx, "EXPLAIN "+sql, args...) // an error comes out of the rows as well
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(e.t, err)
	*e.plans = append(*e.plans, strings.Join(lines, "\n"))
	return e.tx.Exec(ctx, sql, args...)
}

// scans counts how often the table is read as a whole.
func scans(plans []string) int {
	return strings.Count(strings.Join(plans, "\n"), "Seq Scan on document_chunk")
}

// fillSQL makes 10,000 files of five chunks, copied to 50 knowledge bases.
// Nothing is known to the planner about them.
const fillSQL = `
INSERT INTO document_chunk (id, collection_name, text, vmetadata)
SELECT gen_random_uuid()::text, c, 'some text', jsonb_build_object('file_id', f::text, 'name', 'a', 'hash', md5(f::text))
  FROM generate_series(1, 10000) AS f, generate_series(1, 5),
       LATERAL (VALUES ('file-' || f), ('b0000000-0000-4000-8000-' || lpad((f % 50)::text, 12, '0'))) AS v (c)`

// A batch of 500 files among 100,000 chunks goes by the indexes, before
// statistics are there as well as afterwards.
func TestPlans(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.Exec(t, `ALTER TABLE document_chunk SET (autovacuum_enabled = off)`)
	i.Exec(t, fillSQL)
	store := newStore(t, i.URL, false)
	require.NoError(t, store.Index(t.Context()))
	ids := make([]string, 500)
	for n := range ids {
		ids[n] = fmt.Sprint(n + 1)
	}
	for _, statistics := range []string{"", "ANALYZE document_chunk"} {
		if statistics != "" {
			i.Exec(t, statistics)
		}
		var plans []string
		tx := explaining{begin(t, i.Database), t, &plans}
		chunks, rest, err := store.RemoveInTx(t.Context(), tx, ids)
		require.NoError(t, err)
		require.EqualValues(t, 5000, chunks)
		require.False(t, rest)
		_, err = store.Remove(t.Context(), tx, ids)
		require.NoError(t, err)
		require.Zero(t, scans(plans), "%s\n%s", statistics, strings.Join(plans, "\n\n"))
		require.NoError(t, tx.Rollback(t.Context()))
	}
}

// Without the index, Join still reads nothing but its own collections, and
// Remove reads the table once.
func TestPlansWithoutIndex(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.Exec(t, fillSQL)
	store := newStore(t, i.URL, false)
	var plans []string
	tx := explaining{begin(t, i.Database), t, &plans}
	chunks, rest, err := store.RemoveInTx(t.Context(), tx, []string{"1", "2", "3"})
	require.NoError(t, err)
	require.EqualValues(t, 15, chunks)
	require.True(t, rest)
	require.Zero(t, scans(plans), strings.Join(plans, "\n\n"))

	removed, err := store.Remove(t.Context(), tx, []string{"1", "2", "3"})
	require.NoError(t, err)
	require.EqualValues(t, 15, removed.Chunks)
	require.Equal(t, 1, scans(plans), strings.Join(plans, "\n\n"))
	require.NoError(t, tx.Rollback(t.Context()))
}

// 3,000 collections of memories among 100,000 chunks are listed, and go by the indexes,
// before statistics are there as well as afterwards; so do their points.
func TestPlansOfCollections(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.Exec(t, `ALTER TABLE document_chunk SET (autovacuum_enabled = off)`)
	i.Exec(t, fillSQL)
	i.Exec(t, `INSERT INTO document_chunk (id, collection_name, text)
		SELECT 'm' || u || '-' || m, 'user-memory-' || u, 'likes tea' FROM generate_series(1, 3000) u, generate_series(1, 2) m`)
	store := newStore(t, i.URL, false)
	var names, ids []string
	for n := range 500 {
		names, ids = append(names, fmt.Sprint("user-memory-", n+1)), append(ids, fmt.Sprintf("m1000-%d", n))
	}
	for _, statistics := range []string{"", "VACUUM ANALYZE document_chunk"} {
		if statistics != "" {
			i.Exec(t, statistics)
		}
		listed := map[string]int64{}
		for c, err := range store.ListCollections(t.Context()) {
			require.NoError(t, err)
			listed[c.Name] += c.Chunks
		}
		require.Len(t, listed, 3050)
		require.EqualValues(t, 2, listed["user-memory-3000"])
		plans, err := store.ListPlans(t.Context(), names)
		require.NoError(t, err)
		require.NotContains(t, strings.Join(plans, "\n"), "Sort")

		tx := explaining{begin(t, i.Database), t, &plans}
		removed, err := store.RemoveCollections(t.Context(), tx, names, nil)
		require.NoError(t, err)
		require.Equal(t, vectors.Removed{Chunks: 1000}, removed)
		removed, err = store.RemovePoints(t.Context(), tx, "user-memory-1000", ids, nil)
		require.NoError(t, err)
		require.Equal(t, vectors.Removed{Chunks: 2}, removed)
		require.Zero(t, scans(plans), "%s\n%s", statistics, strings.Join(plans, "\n\n"))
		require.NoError(t, tx.Rollback(t.Context()))
	}
}
