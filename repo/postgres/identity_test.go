package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// at is a database that the test did not get from testenv.New.
func at(t testing.TB, server *testenv.Server, url string) *testenv.Database {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return &testenv.Database{URL: url, Schema: "public", Pool: pool, Server: server}
}

// A dump brings the index along, with marks that mean nothing where it is
// restored: neither they nor the tombstones are believed there.
func TestRestoredDumpIsAnotherInstallation(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pg_dump")
	d, db := newDB(t)
	ids := newFiles(t, d, 3)
	insertMention(t, d, ids[0])
	refresh(t, db)
	inTx(t, db, func(tx tx) {
		require.NoError(t, db.AddTombstones(t.Context(), tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: "x", Name: "x.pdf"}}))
		require.NoError(t, db.SetGrace(t.Context(), tx, repo.FromRows, ids, nil))
	})
	dump, err := d.Server.Dump(t.Context(), d.Name)
	require.NoError(t, err)

	other := testenv.NewServer(t, testenv.ServerOptions{Empty: true})
	for name, server := range map[string]*testenv.Server{"the same cluster": d.Server, "another cluster": other} {
		url, err := server.Restore(t.Context(), dump)
		require.NoError(t, err, name)
		copied := at(t, server, url)
		insertMention(t, copied, ids[1])
		restored := open(t, copied)
		require.NotEqual(t, db.Identity(), restored.Identity(), name)
		requireIncomplete(t, restored, ids...)
		refresh(t, restored)
		requireKept(t, restored, ids[:2]...)
		requireFree(t, restored, ids[2])
		inTx(t, restored, func(tx tx) {
			due, err := restored.FetchDue(t.Context(), tx, repo.Bytes, 10)
			require.NoError(t, err)
			require.Empty(t, due, name)
			locked, err := restored.Lock(t.Context(), tx, ids, repo.Ages{})
			require.NoError(t, err)
			require.False(t, locked.Files[0].HasGrace, "a clock of another installation")
		})
		waiting, err := restored.Backlog(t.Context(), repo.Bytes, repo.Vectors)
		require.NoError(t, err)
		require.Zero(t, waiting.Count, name)
	}
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1:]...)
}

// A standby is refused; promoted, at the address that the primary had, it is the same
// installation, whose index goes on being true.
func TestPromotedStandbyGoesOn(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pg_basebackup")
	primary := testenv.NewServer(t, testenv.ServerOptions{})
	d := primary.New(t)
	network := newProxy(t, d)
	db := openWith(t, postgres.Options{URL: network.url})
	ids := newFiles(t, d, 4)
	insertMention(t, d, ids[0])
	refresh(t, db)
	insertMention(t, d, ids[1])

	standby := primary.NewStandby(t)
	url := standby.URL(d.Name)
	_, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	require.ErrorContains(t, err, "standby")
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.NoError(t, standby.Promote(t.Context()))
	network.moveTo(t, url)

	promoted := at(t, standby, url)
	after := openWith(t, postgres.Options{URL: network.url})
	require.Equal(t, db.Identity(), after.Identity())
	insertMention(t, promoted, ids[2])
	for range 2 {
		requireKept(t, after, ids[:3]...)
		requireFree(t, after, ids[3])
		refresh(t, after)
	}
	_, err = deletion(after, ids[3:], nothing)
	require.NoError(t, err)
	require.False(t, exists(t, promoted, ids[3]))
}

// A physical copy of a cluster at an address of its own has everything that the
// original has, system identifier and oids too. It is another installation: what
// waits in tombstones and what is bound is the original's.
func TestIdentityPhysicalCopyIsAnotherInstallation(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pg_basebackup")
	primary := testenv.NewServer(t, testenv.ServerOptions{})
	d := primary.New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	insertMention(t, d, ids[0])
	refresh(t, db)
	inTx(t, db, func(tx tx) {
		require.NoError(t, db.AddTombstones(t.Context(), tx, []repo.Tombstone{{Kind: repo.Vectors, FileID: "x"}}))
		require.NoError(t, db.ApproveStore(t.Context(), tx, "chroma", ""))
	})

	clone := primary.NewStandby(t)
	require.NoError(t, clone.Promote(t.Context()))
	copied := openWith(t, postgres.Options{URL: clone.URL(d.Name)})
	require.NotEqual(t, db.Identity().Key, copied.Identity().Key)
	require.Contains(t, copied.Identity().Elsewhere, hostOf(t, d))
	require.Empty(t, db.Identity().Elsewhere)
	requireKept(t, copied, ids[0])
	requireFree(t, copied, ids[1])
	inTx(t, copied, func(tx tx) {
		due, err := copied.FetchDue(t.Context(), tx, repo.Vectors, 10)
		require.NoError(t, err)
		require.Empty(t, due)
		_, bound, err := copied.StoreApproval(t.Context(), tx, "chroma")
		require.NoError(t, err)
		require.False(t, bound)
	})
	again := openWith(t, postgres.Options{URL: clone.URL(d.Name)})
	require.Equal(t, copied.Identity(), again.Identity())
	require.Equal(t, db.Identity(), open(t, d).Identity(), "the original goes on")
}

// A server that becomes read-only below an open connection stops everything, and
// nothing is anybody's fault.
func TestReadOnlyServerStopsEverything(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pg_basebackup")
	primary := testenv.NewServer(t, testenv.ServerOptions{})
	d := primary.New(t)
	ids := newFiles(t, d, 1)
	network := newProxy(t, d)
	db := openWith(t, postgres.Options{URL: network.url})
	refresh(t, db)
	standby := primary.NewStandby(t)
	// A failover that leaves the address with what is now a standby.
	network.moveTo(t, standby.URL(d.Name))
	require.Eventually(t, func() bool {
		_, err := deletion(db, ids, nothing)
		require.Error(t, err)
		return repo.KindOf(err) == repo.Environment
	}, testTimeout, tick)
	require.True(t, exists(t, d, ids[0]))
}

// Marks that cannot be compared, or an index that is not the one they belong
// to: everything is read again first.
func TestMarksThatMeanNothing(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	for name, damage := range map[string]string{
		"from the future":      `UPDATE pruned.relation SET w = (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000)::text::xid8`,
		"one from the future":  `UPDATE pruned.relation SET w = '4294967296' WHERE name LIKE '%note%'`,
		"another index":        `ALTER TABLE pruned.reference RENAME TO old; CREATE TABLE pruned.reference (LIKE pruned.old INCLUDING ALL); DROP TABLE pruned.old`,
		"another reader":       `UPDATE pruned.state SET identity = regexp_replace(identity, 'reader \d+', 'reader 0')`,
		"another identity":     `UPDATE pruned.state SET identity = '1/2/public/3'`,
		"a table not recorded": `DELETE FROM pruned.relation WHERE name LIKE '%note%'`,
		"nothing recorded":     `DELETE FROM pruned.relation; DELETE FROM pruned.reference; DELETE FROM pruned.known_file`,
	} {
		t.Run(name, func(t *testing.T) {
			ids := newFiles(t, d, 2)
			insertMention(t, d, ids[0])
			refresh(t, db)
			readAll(t, d, db)
			look(t, db, ids...)
			d.Exec(t, damage)
			requireIncomplete(t, db, ids...)
			refresh(t, db)
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1])
		})
	}
}

// Marks that are so old that age() may wrap around are not compared, and rows
// that old are read.
func TestManyTransactionsLater(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pg_resetwal")
	server := testenv.NewServer(t, testenv.ServerOptions{Settings: []string{"max_prepared_transactions=2"}})
	d := server.New(t)
	db := open(t, d)
	ids := newFiles(t, d, 4)
	insertMention(t, d, ids[0])
	refresh(t, db)
	preparedTransactions(t, d, db, ids)

	db.Close()
	require.NoError(t, server.SetNextXID(t.Context(), 1_200_000_000))
	d.Pool.Reset()
	db = open(t, d)
	requireIncomplete(t, db, ids...)
	insertMention(t, d, ids[2])
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[:3]...)
		requireFree(t, db, ids[3])
		readAll(t, d, db)
		d.Exec(t, `VACUUM (FREEZE)`)
	}
}

// preparedTransactions: one that is prepared holds the mark back like any that
// runs.
func preparedTransactions(t *testing.T, d *testenv.Database, db *postgres.DB, ids []string) {
	conn := d.Conn(t)
	exec(t, conn, `BEGIN`)
	exec(t, conn, `INSERT INTO note (id, user_id, title) VALUES ('prepared', 'u', $1)`, ids[1])
	exec(t, conn, `PREPARE TRANSACTION 'p'`)
	for range 2 {
		insertMention(t, d, "younger")
		pass(t, db)
		requireFree(t, db, ids[1:]...)
	}
	exec(t, conn, `COMMIT PREPARED 'p'`)
	requireKept(t, db, ids[1])
	readAll(t, d, db)
	requireKept(t, db, ids[:2]...)
	requireFree(t, db, ids[2:]...)
}
