package opengauss_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/chunktable"
	"pruned/vectors/opengauss"
	"pruned/vectors/vectorstest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func newStore(t *testing.T, url string) *chunktable.Store {
	t.Helper()
	store, err := opengauss.New(t.Context(), opengauss.Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

func insert(t testing.TB, db *testenv.Database, chunks ...vectorstest.Chunk) {
	t.Helper()
	batch := &pgx.Batch{}
	for _, c := range chunks {
		var metadata *string
		if !c.Bare {
			text, err := json.Marshal(c.Metadata())
			require.NoError(t, err)
			said := string(text)
			metadata = &said
		}
		batch.Queue(`INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata) VALUES ($1, '[1,2,3]', $2, 'some text', $3)`, c.ID, c.Collection, metadata)
	}
	require.NoError(t, db.Pool.SendBatch(context.Background(), batch).Close())
}

func newDatabase(t *testing.T) *testenv.Database {
	t.Helper()
	return testenv.New(t, withChunks...)
}

var withChunks = []testenv.Option{testenv.Empty(), testenv.Vectors(testenv.VectorOptions{Dim: 3})}

func left(t testing.TB, db *testenv.Database) []string {
	t.Helper()
	return testenv.Column[string](t, db, `SELECT id FROM document_chunk`)
}

// The suite on PostgreSQL: no openGauss was to be had.
func TestSuiteOnPostgreSQL(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		return fixtureOf(t, newDatabase(t))
	})
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{Empty: true})
	db := server.New(t, withChunks...)
	vectorstest.SurviveKill(t, fixtureOf(t, db), func() { require.NoError(t, server.Kill()) }, func() {
		require.NoError(t, server.Restart(t.Context()))
		db.Pool.Reset()
	})
}

func fixtureOf(t *testing.T, db *testenv.Database) vectorstest.Fixture {
	t.Helper()
	return vectorstest.Fixture{
		Store:  newStore(t, db.URL),
		Insert: func(t testing.TB, chunks ...vectorstest.Chunk) { t.Helper(); insert(t, db, chunks...) },
		Left:   func(t testing.TB) []string { t.Helper(); return left(t, db) },
		Drop: func(t testing.TB, collection string) {
			t.Helper()
			db.Exec(t, `DELETE FROM document_chunk WHERE collection_name = $1`, collection)
		},
	}
}

func TestNameAndSecrets(t *testing.T) {
	t.Parallel()
	store := newStore(t, "postgresql://me:s3cret@127.0.0.1:1/vectors")
	require.Equal(t, vectors.Info{Name: "opengauss at 127.0.0.1:1, database vectors"}, store.Info())
	err := store.Check(t.Context())
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.NotContains(t, err.Error(), "s3cret")
	_, err = opengauss.New(t.Context(), opengauss.Options{URL: "postgresql://me:s3cret@host:port/db"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
}

// A table that is not there is an empty store; one that is no table of chunks is none.
func TestTableOfOthers(t *testing.T) {
	t.Parallel()
	db := testenv.New(t, testenv.Empty())
	store := newStore(t, db.URL)
	require.NoError(t, store.Check(t.Context()))
	removed, err := store.Remove(t.Context(), nil, []string{"a", "zero\x00"})
	require.NoError(t, err)
	require.Zero(t, removed)
	db.Exec(t, `CREATE TABLE document_chunk (id text, collection_name text)`)
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	_, err = store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
}

func TestGuardFails(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	insert(t, db, vectorstest.Chunk{ID: "1", Collection: "file-a", FileID: "a"})
	away := errors.New("the database is away")
	_, err := newStore(t, db.URL).RemoveGuarded(t.Context(), []string{"a"}, func(context.Context, []string) ([]string, error) { return nil, away })
	require.ErrorIs(t, err, away)
	require.NotErrorIs(t, err, vectors.ErrUnusable)
	require.Len(t, left(t, db), 1)
}

// Each missing right is told.
func TestRights(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	name := "reader_of_" + db.Name
	db.Exec(t, `CREATE USER `+name)
	t.Cleanup(func() { db.Exec(t, `DROP OWNED BY `+name+`; DROP USER `+name) })
	db.Exec(t, `GRANT SELECT ON document_chunk TO `+name)
	url := strings.Replace(db.URL, "postgres@", name+"@", 1)
	require.ErrorContains(t, newStore(t, url).Check(t.Context()), "GRANT SELECT, DELETE ON document_chunk")
	db.Exec(t, `GRANT DELETE ON document_chunk TO `+name)
	require.NoError(t, newStore(t, url).Check(t.Context()))
}
