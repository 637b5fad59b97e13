package postgres_test

import (
	"context"
	"errors"
	"flag"
	"maps"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/repotest"
	"pruned/repo/testenv"
)

// testTimeout is far more than anything takes; only a wait that would never end
// reaches it.
const (
	testTimeout = time.Minute
	tick        = 50 * time.Millisecond
)

func TestMain(m *testing.M) {
	// Most of what a test here does is wait for a server.
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() == parallel.DefValue {
		if err := parallel.Value.Set(strconv.Itoa(3 * runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	testenv.Main(m)
}

// open opens a database with our tables in it.
func open(t testing.TB, d *testenv.Database) *postgres.DB {
	t.Helper()
	return openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema})
}

func openWith(t testing.TB, options postgres.Options) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), options)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.Migrate(context.Background()))
	return db
}

// newDB makes a database of Open WebUI with our tables in it.
func newDB(t testing.TB, options ...testenv.Option) (*testenv.Database, *postgres.DB) {
	t.Helper()
	d := testenv.New(t, append([]testenv.Option{testenv.Prepared(migrate)}, options...)...)
	return d, open(t, d)
}

// migrate prepares the database that is copied for each test.
func migrate(ctx context.Context, url string) error {
	db, err := postgres.Open(ctx, postgres.Options{URL: url, Schema: "public"})
	if err != nil {
		return err
	}
	defer db.Close()
	return repotest.MigrateTemplate(ctx, db)
}

// inTx runs fn in a transaction, which commits.
func inTx(t testing.TB, db *postgres.DB, fn func(tx repo.Tx)) {
	t.Helper()
	require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
		fn(tx)
		return nil
	}))
}

// look looks for ids in a transaction of its own. A failure that passes, as where a worker
// of the server has a table for a moment, is tried again, as by a batch.
func look(t testing.TB, db *postgres.DB, ids ...string) (found repo.References) {
	t.Helper()
	var err error
	require.Eventually(t, func() bool {
		found, err = tryLook(db, ids...)
		return err == nil || repo.KindOf(err) != repo.Passing
	}, testTimeout, tick)
	require.NoError(t, err)
	var late repo.References
	require.Eventually(t, func() bool {
		late, err = tryLateLook(db, ids...)
		return err == nil || repo.KindOf(err) != repo.Passing
	}, testTimeout, tick)
	require.NoError(t, err)
	require.ElementsMatch(t, slices.Collect(maps.Keys(found.Referenced)), slices.Collect(maps.Keys(late.Referenced)), "both ways to look find the same")
	require.Equal(t, found.Unknown, late.Unknown)
	return found
}

// tryLook looks and looks again, as a transaction does that would delete them all.
func tryLook(db *postgres.DB, ids ...string) (found repo.References, err error) {
	err = db.InTx(context.Background(), nil, func(tx repo.Tx) (err error) {
		if found, err = db.FindReferences(context.Background(), tx, ids); err != nil {
			return err
		}
		_, err = db.RecheckReferences(context.Background(), tx, found, ids, nil)
		return err
	})
	return found, err
}

// tryLateLook asks the index first and reads what changed at the end, as a transaction does
// that deletes.
func tryLateLook(db *postgres.DB, ids ...string) (found repo.References, err error) {
	err = db.InTx(context.Background(), nil, func(tx repo.Tx) error {
		if found, err = db.FindIndexed(context.Background(), tx, ids); err != nil {
			return err
		}
		appeared, err := db.RecheckReferences(context.Background(), tx, found, ids, nil)
		found.Changed = appeared.Changed
		for id, reference := range appeared.References {
			if _, known := found.Referenced[id]; !known {
				found.Referenced[id] = reference
			}
		}
		return err
	})
	return found, err
}

func refresh(t testing.TB, db *postgres.DB) {
	t.Helper()
	require.NoError(t, db.IndexAll(context.Background(), nil))
}

func pass(t testing.TB, db *postgres.DB) {
	t.Helper()
	require.NoError(t, db.IndexChanges(context.Background()))
}

// requireFree says that nothing keeps the files.
func requireFree(t testing.TB, db *postgres.DB, ids ...string) {
	t.Helper()
	found := look(t, db, ids...)
	require.Empty(t, found.Referenced)
	require.Empty(t, found.Unknown)
}

// requireKept says that each of the files is referenced.
func requireKept(t testing.TB, db *postgres.DB, ids ...string) {
	t.Helper()
	found := look(t, db, ids...)
	for _, id := range ids {
		require.Contains(t, found.Referenced, id)
	}
}

func newFiles(t testing.TB, d *testenv.Database, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = testenv.NewFile(t, d.Pool)
	}
	return ids
}

// mention makes a note that mentions a file, and returns its id.
func insertMention(t testing.TB, d *testenv.Database, file string) string {
	t.Helper()
	id := uuid.NewString()
	d.Exec(t, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ($1, 'u', $2, 1, 1)`, id, file)
	return id
}

// exec runs a statement on a connection of the application's.
func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	_, err := conn.Exec(context.Background(), sql, args...)
	require.NoError(t, err, sql)
}

// replaced puts a value in the place of a name.
func replaced(sql, name, value string) string { return strings.ReplaceAll(sql, name, value) }

// withID puts the id of a file in the place of ID.
func withID(sql, id string) string { return replaced(sql, "ID", id) }

// hostOf is the address and port of a database's server.
func hostOf(t testing.TB, d *testenv.Database) string {
	t.Helper()
	u, err := url.Parse(d.URL)
	require.NoError(t, err)
	return u.Host
}

// lockNotAvailable is the code of a wait that was given up.
const lockNotAvailable = "55P03"

// sqlState is the code with which the server refused, or nothing.
func sqlState(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

type tx = repo.Tx

func cancelled(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}
