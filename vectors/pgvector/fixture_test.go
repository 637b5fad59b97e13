package pgvector_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// key is odd enough to be found wherever it would leak.
const key = "k3y'with\"quotes"

// newStore is a store on db, with the application's settings for it.
func newStore(t *testing.T, url string, crypto bool) *pgvector.Store {
	t.Helper()
	options := pgvector.Options{URL: url, Crypto: crypto}
	if crypto {
		options.CryptoKey = key
	}
	store, err := pgvector.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// installation is a database with a table of chunks.
type installation struct {
	*testenv.Database
	vectors testenv.VectorOptions
	table   string
}

func install(t *testing.T, vectors testenv.VectorOptions, options ...testenv.Option) installation {
	t.Helper()
	if vectors.Dim == 0 {
		vectors.Dim = 3
	}
	db := testenv.New(t, append(options, testenv.Vectors(vectors))...)
	return installation{db, vectors, "public.document_chunk"}
}

func (i installation) fixture(t *testing.T, store *pgvector.Store) vectorstest.Fixture {
	return vectorstest.Fixture{
		Store:  store,
		Insert: i.insert,
		Left:   i.left,
		Begin:  func(t testing.TB) vectorstest.Tx { return begin(t, i.Database) },
		Hold:   i.hold,
	}
}

// insert stores chunks as the application does.
func (i installation) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sql := `INSERT INTO ` + i.table + ` (id, vector, collection_name, text, vmetadata)
		VALUES ($1, '[1,2,3]', $2, $3, $4)`
	if i.vectors.Crypto != "" {
		sql = `INSERT INTO ` + i.table + ` (id, vector, collection_name, text, vmetadata)
		VALUES ($1, '[1,2,3]', $2, pgp_sym_encrypt($3, $5), pgp_sym_encrypt($4, $5))`
	}
	batch := &pgx.Batch{}
	for _, chunk := range chunks {
		args := []any{chunk.ID, chunk.Collection, "some text", metadata(t, chunk)}
		if i.vectors.Crypto != "" {
			args = append(args, i.vectors.Crypto)
		}
		batch.Queue(sql, args...)
	}
	require.NoError(t, i.Pool.SendBatch(context.Background(), batch).Close())
}

// metadata is nil for NULL.
func metadata(t testing.TB, chunk vectorstest.Chunk) *string {
	t.Helper()
	if chunk.Bare {
		return nil
	}
	bytes, err := json.Marshal(chunk.Metadata())
	require.NoError(t, err)
	text := string(bytes)
	return &text
}

// drop deletes a collection as the application does.
func (i installation) drop(t testing.TB, collection string) {
	t.Helper()
	i.Exec(t, "DELETE FROM "+i.table+" WHERE collection_name = $1", collection)
}

func (i installation) left(t testing.TB) []string {
	t.Helper()
	return testenv.Column[string](t, i.Database, "SELECT id FROM "+i.table)
}

// hold locks a chunk as an UPDATE or DELETE that is not committed does.
func (i installation) hold(t testing.TB, chunk string) func() {
	t.Helper()
	conn := i.Conn(t)
	_, err := conn.Exec(context.Background(), "BEGIN")
	require.NoError(t, err)
	_, err = conn.Exec(context.Background(), "SELECT FROM "+i.table+" WHERE id = $1 FOR UPDATE", chunk)
	require.NoError(t, err)
	return func() {
		_, err := conn.Exec(context.Background(), "ROLLBACK")
		require.NoError(t, err)
	}
}

// tx is a transaction such as the database side gives; it has another search
// path than the store.
type tx struct{ pgx.Tx }

func (t tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := t.Tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func begin(t testing.TB, db *testenv.Database) tx {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL)
	require.NoError(t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // its server may be gone by then
	opened, err := conn.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	require.NoError(t, err)
	_, err = opened.Exec(context.Background(), "SET LOCAL search_path = pg_catalog")
	require.NoError(t, err)
	return tx{opened}
}
