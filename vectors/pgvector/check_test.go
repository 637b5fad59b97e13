package pgvector_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

func TestKeyPrintsAsStars(t *testing.T) {
	t.Parallel()
	options := pgvector.Options{Crypto: true, CryptoKey: key}
	text, err := json.Marshal(options)
	require.NoError(t, err)
	for _, printed := range []string{string(text), fmt.Sprintf("%v %+v %#v %q", options, options, options, options.CryptoKey)} {
		require.NotContains(t, printed, key[:3])
		require.Contains(t, printed, "***")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := pgvector.New(t.Context(), pgvector.Options{Crypto: true})
	require.EqualError(t, err, "PGVECTOR_PGCRYPTO is set, but PGVECTOR_PGCRYPTO_KEY is not")
	_, err = pgvector.New(t.Context(), pgvector.Options{URL: "postgres://someone:p4ssw0rd@host:port/db"})
	require.ErrorContains(t, err, "read the database URL of the vector store")
	require.NotContains(t, err.Error(), "p4ssw0rd")
}

// as is the URL of db for another user.
func as(t *testing.T, db *testenv.Database, user string) string {
	t.Helper()
	u, err := url.Parse(db.URL)
	require.NoError(t, err)
	u.User = url.User(user)
	return u.String()
}

// user makes a user, and names it after the database: users are the cluster's.
func user(t *testing.T, db *testenv.Database) string {
	t.Helper()
	name := "user of " + db.Name
	db.Exec(t, fmt.Sprintf(`CREATE USER %q`, name))
	t.Cleanup(func() {
		db.Exec(t, fmt.Sprintf(`DROP OWNED BY %q`, name))
		db.Exec(t, fmt.Sprintf(`DROP USER %q`, name))
	})
	return name
}

func TestCheckPrivileges(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	name := user(t, i.Database)
	store := newStore(t, as(t, i.Database, name), false)
	i.Exec(t, fmt.Sprintf(`GRANT SELECT ON document_chunk TO %q`, name))
	require.ErrorContains(t, store.Check(t.Context()),
		fmt.Sprintf(`user %s may not do its work in "public"."document_chunk": GRANT UPDATE, DELETE ON "public"."document_chunk" TO %[1]q`, name))
	i.Exec(t, fmt.Sprintf(`GRANT UPDATE, DELETE ON document_chunk TO %q`, name))
	require.NoError(t, store.Check(t.Context()))
	i.Exec(t, `ALTER TABLE document_chunk ENABLE ROW LEVEL SECURITY`)
	require.ErrorContains(t, store.Check(t.Context()), fmt.Sprintf(`hides rows from user %s: ALTER ROLE %[1]q BYPASSRLS`, name))
	_, err := store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorContains(t, err, "row-level security policy", "an error, and not nothing to do")
}

// Without the application's index nothing is done by RemoveInTx, which would read the
// whole table for each file.
func TestCheckIndex(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a"})
	i.Exec(t, `DROP INDEX idx_document_chunk_collection_name`)
	store := newStore(t, i.URL, false)
	require.ErrorContains(t, store.Check(t.Context()),
		`CREATE INDEX CONCURRENTLY idx_document_chunk_collection_name ON "public"."document_chunk" (collection_name)`)
	chunks, rest, err := join(t, i, store, "a")
	require.NoError(t, err)
	require.Zero(t, chunks)
	require.True(t, rest)
	removed, err := store.Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 1}, removed)
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{Crypto: "another"})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: vectorstest.Base, FileID: "a"})
	store := newStore(t, i.URL, true)
	_, removed := store.Remove(t.Context(), nil, []string{"a"})
	for doing, err := range map[string]error{"Check": store.Check(t.Context()), "Remove": removed} {
		require.ErrorContains(t, err, "Wrong key", doing)
		require.ErrorIs(t, err, vectors.ErrUnusable, doing)
		require.NotContains(t, err.Error(), key[:3], doing)
	}
	require.Equal(t, []string{"1"}, i.left(t))
}
