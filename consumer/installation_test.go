package consumer

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/blobs/local"
	"pruned/repo/postgres"
	"pruned/repo/repotest"
	"pruned/vectors/pgvector"
)

// installation is one Open WebUI: its database, its vectors, its upload folder.
type installation struct {
	*repotest.Database
	db      *postgres.DB
	store   *pgvector.Store
	blobs   *local.Store
	uploads string
	base    string // a knowledge base that is gone: its collection is not
}

// small are vectors that cost nothing.
var small = repotest.VectorOptions{Dim: 3}

func install(t *testing.T) *installation {
	t.Helper()
	i := installOn(t, repotest.New(t, repotest.Vectors(small)))
	require.NoError(t, i.store.Index(t.Context()))
	return i
}

func installOn(t *testing.T, d *repotest.Database) *installation {
	t.Helper()
	i := &installation{Database: d, uploads: t.TempDir()}
	var err error
	i.db, err = postgres.Open(t.Context(), postgres.Options{URL: d.URL, Schema: d.Schema})
	require.NoError(t, err)
	t.Cleanup(i.db.Close)
	require.NoError(t, i.db.Migrate(t.Context()))
	i.store, err = pgvector.New(t.Context(), pgvector.Options{URL: d.URL})
	require.NoError(t, err)
	t.Cleanup(i.store.Close)
	i.blobs, err = local.Open(i.uploads)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, i.blobs.Close()) })
	i.base = repotest.NewID()
	require.NoError(t, i.db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		return errors.Join(i.db.Bind(t.Context(), tx, pgvectorStore.Name, ""), i.db.Bind(t.Context(), tx, uploadStore.Name, ""))
	}))
	return i
}

// The stores of an installation, which are bound to it.
var (
	pgvectorStore = StoreInfo{Name: "pgvector", Beside: true}
	uploadStore   = StoreInfo{Name: "uploads"}
)

// file adds a file that nothing uses, with bytes and with chunks in its own
// collection and in the knowledge base.
func (i *installation) file(t testing.TB) string {
	t.Helper()
	id := repotest.NewID()
	i.row(t, id)
	i.chunks(t, id)
	return id
}

func (i *installation) files(t testing.TB, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for k := range ids {
		ids[k] = i.file(t)
	}
	return ids
}

func (i *installation) row(t testing.TB, id string) {
	t.Helper()
	repotest.InsertFile(t, i.Pool, repotest.File{ID: id, Path: repotest.WriteBytes(t, i.uploads, id, "document.pdf")})
}

const chunksOfAFile = 3

func (i *installation) chunks(t testing.TB, id string) {
	t.Helper()
	repotest.InsertChunks(t, i.Pool, repotest.Chunks{FileID: id, N: 2, Vectors: small})
	repotest.InsertChunks(t, i.Pool, repotest.Chunks{FileID: id, Collection: i.base, Vectors: small})
}

// refresh lets the index know everything that there is.
func (i *installation) refresh(t testing.TB) {
	t.Helper()
	require.NoError(t, i.db.Refresh(context.Background(), nil))
}

// transaction handles claims without regard to ages.
func (i *installation) transaction() *Transaction {
	return &Transaction{DB: i.db, Vectors: i.store, VectorStore: pgvectorStore, Blobs: i.blobs}
}

func (i *installation) executor(t *testing.T) *Executor {
	return &Executor{DB: i.db, Vectors: i.store, VectorStore: pgvectorStore, Blobs: i.blobs, BlobStore: uploadStore, Log: testLog(t)}
}

func (i *installation) carryOut(t *testing.T) {
	t.Helper()
	require.NoError(t, i.executor(t).CarryOut(context.Background()))
}

// run handles claims about ids in one transaction, and returns the results.
func run(t testing.TB, x *Transaction, ids ...string) map[string]Result {
	t.Helper()
	report, err := x.Run(context.Background(), deliveries(1, ids...))
	require.NoError(t, err)
	require.Len(t, report.Results, len(ids))
	return report.Results
}

func deliveries(times uint64, ids ...string) []Delivery {
	list := make([]Delivery, len(ids))
	for k, id := range ids {
		list[k] = Delivery{Event: NewEvent(id, "test", "a test"), Deliveries: times}
	}
	return list
}

// batch handles batches as a run does.
func (i *installation) batch(t *testing.T, x *Transaction) *Batch {
	return NewBatch(x, 500, time.Minute, testLog(t))
}

// handle is what one lease makes of claims that were delivered so often.
func handle(t testing.TB, b *Batch, times uint64, ids ...string) ([]Result, error) {
	t.Helper()
	return b.Handle(context.Background(), deliveries(times, ids...), time.Now().Add(time.Minute), func() error { return nil })
}

// left is what is left of a file.
type left struct {
	row    bool
	chunks int
	bytes  int
}

var (
	whole   = left{row: true, chunks: chunksOfAFile, bytes: 1}
	nothing = left{}
)

func (i *installation) left(t testing.TB, id string) left {
	t.Helper()
	l := left{
		row:    repotest.Value[bool](t, i.Database, `SELECT EXISTS (SELECT FROM file WHERE id = $1)`, id),
		chunks: repotest.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE vmetadata->>'file_id' = $1`, id),
	}
	entries, err := os.ReadDir(i.uploads)
	require.NoError(t, err)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), id) {
			l.bytes++
		}
	}
	return l
}

// recorded is how often the ledger says that a file was deleted.
func (i *installation) recorded(t testing.TB, id string) int {
	t.Helper()
	return repotest.Value[int](t, i.Database, `SELECT count(*) FROM pruned.ledger WHERE file_id = $1`, id)
}

// pollEvery is how often a test asks about what gives no signal.
const pollEvery = 5 * time.Millisecond
