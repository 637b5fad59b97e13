package pgvector_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

// join joins one file in a transaction of its own.
func join(t *testing.T, i installation, store *pgvector.Store, id string) (chunks int64, rest bool, err error) {
	t.Helper()
	tx := begin(t, i.Database)
	chunks, rest, err = store.RemoveInTx(t.Context(), tx, []string{id})
	if err != nil {
		require.NoError(t, tx.Rollback(t.Context()))
		return chunks, rest, err
	}
	require.NoError(t, tx.Commit(t.Context()))
	return chunks, rest, nil
}

// The table comes, goes, and comes again, while the store is in use. Asking
// whether it is there takes no session of the store's.
func TestTableComesAndGoes(t *testing.T) {
	t.Parallel()
	i := installation{Database: testenv.New(t), table: "public.document_chunk"}
	store := newStore(t, i.URL, false)
	require.Zero(t, store.Sessions(), "a new store")
	for range 5 {
		chunks, rest, err := join(t, i, store, "a")
		require.NoError(t, err)
		require.Zero(t, chunks)
		require.False(t, rest)
	}
	requireAbsent(t, store)

	for range 2 {
		require.NoError(t, testenv.CreateChunks(t.Context(), i.Pool, testenv.VectorOptions{Dim: 3}))
		i.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a"})
		chunks, rest, err := join(t, i, store, "a")
		require.NoError(t, err)
		require.EqualValues(t, 1, chunks)
		require.True(t, rest)
		i.Exec(t, "DROP TABLE document_chunk")
		requireAbsent(t, store)
	}
	require.EqualValues(t, 1, store.Sessions())
}

func requireAbsent(t *testing.T, store *pgvector.Store) {
	t.Helper()
	ctx := t.Context()
	removed, err := store.Remove(ctx, nil, []string{"a"})
	require.NoError(t, err)
	require.Zero(t, removed)
	removed, err = store.RemoveCollections(ctx, nil, []string{"user-memory-a"}, nil)
	require.NoError(t, err)
	require.Zero(t, removed)
	for c, err := range store.ListCollections(ctx) {
		require.NoError(t, err)
		require.Fail(t, "there is no table", "%v", c)
	}
	collections, err := store.Collections(ctx, "a")
	require.NoError(t, err)
	require.Empty(t, collections)
	schema, name, err := store.Table(ctx)
	require.NoError(t, err)
	require.Empty(t, schema+name)
	require.NoError(t, store.Check(ctx))
	require.NoError(t, store.Index(ctx))
	require.NoError(t, store.DropIndex(ctx))
}

func TestTable(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{}, testenv.InSchema())
	schema, name, err := newStore(t, i.URL, false).Table(t.Context())
	require.NoError(t, err)
	require.Equal(t, "public.document_chunk", schema+"."+name)
}

// What the settings do not fit is refused in a sentence by everything that
// would touch it, and marked as nobody's fault among the files.
func TestRefusals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		vectors testenv.VectorOptions
		crypto  bool
		alter   string
		want    string
	}{
		"a key for a plain table": {crypto: true,
			want: `PGVECTOR_PGCRYPTO is set, but "public"."document_chunk" is not encrypted`},
		"no key for an encrypted one": {vectors: testenv.VectorOptions{Crypto: key},
			want: `"public"."document_chunk" is encrypted: set PGVECTOR_PGCRYPTO and PGVECTOR_PGCRYPTO_KEY`},
		"no pgcrypto": {vectors: testenv.VectorOptions{Crypto: key}, crypto: true, alter: `DROP EXTENSION pgcrypto`,
			want: `extension pgcrypto is not installed`},
		"a view": {alter: `ALTER TABLE document_chunk RENAME TO c; CREATE VIEW document_chunk AS SELECT * FROM c`,
			want: `"public"."document_chunk" is not a plain table`},
		"a partitioned table": {alter: `DROP TABLE document_chunk; CREATE TABLE document_chunk (vmetadata jsonb) PARTITION BY HASH (vmetadata)`,
			want: `"public"."document_chunk" is not a plain table`},
		"somebody else's table": {alter: `ALTER TABLE document_chunk DROP COLUMN vmetadata`,
			want: `its column vmetadata has type ""`},
		"another type": {alter: `ALTER TABLE document_chunk ALTER vmetadata TYPE json`,
			want: `its column vmetadata has type "json"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t, c.vectors)
			if c.alter != "" {
				i.alter(t, c.alter)
			}
			store := newStore(t, i.URL, c.crypto)
			_, _, joined := join(t, i, store, "a")
			_, removed := store.Remove(t.Context(), nil, []string{"a"})
			_, whole := store.RemoveCollections(t.Context(), nil, []string{"user-memory-a"}, nil)
			_, point := store.RemovePoints(t.Context(), nil, "user-memory-a", []string{"a"}, nil)
			for doing, err := range map[string]error{
				"Check": store.Check(t.Context()), "Join": joined, "Remove": removed, "RemoveCollections": whole, "RemovePoints": point,
			} {
				require.ErrorContains(t, err, c.want, doing)
				require.ErrorIs(t, err, vectors.ErrUnusable, doing)
				require.NotContains(t, err.Error(), key, doing)
			}
		})
	}
}

// alter runs several statements at once.
func (i installation) alter(t *testing.T, statements string) {
	t.Helper()
	_, err := i.Conn(t).PgConn().Exec(t.Context(), statements).ReadAll()
	require.NoError(t, err)
}

// The settings change under a store that has been working.
func TestTableBecomesEncrypted(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	store := newStore(t, i.URL, false)
	_, _, err := join(t, i, store, "a")
	require.NoError(t, err)
	i.Exec(t, "DROP TABLE document_chunk")
	require.NoError(t, testenv.CreateChunks(t.Context(), i.Pool, testenv.VectorOptions{Dim: 3, Crypto: key}))
	_, _, err = join(t, i, store, "a")
	require.ErrorContains(t, err, "is encrypted")
	require.ErrorIs(t, err, vectors.ErrUnusable)
}

// A server that is not there is no file's fault either, and no secret is told.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	url := "postgres://someone:p4ssw0rd@127.0.0.1:1/nowhere?connect_timeout=5"
	store := newStore(t, url, true)
	err := store.Check(t.Context())
	require.ErrorIs(t, err, vectors.ErrUnusable)
	for _, secret := range []string{"p4ssw0rd", key} {
		require.NotContains(t, err.Error(), secret)
		require.NotContains(t, fmt.Sprintf("%v %+v %s", store, store, store), secret)
	}
}
