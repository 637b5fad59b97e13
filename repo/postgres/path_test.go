package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Functions and operators that somebody else made in a schema on our search path are
// never called, whatever is done.
func TestPathOfOthersIsNotTrusted(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	ids := newFiles(t, d, 4)
	testenv.LinkChat(t, d.Pool, testenv.InsertChat(t, d.Pool, testenv.Chat{Files: ids[:1]}).ID, ids[1])
	d.Exec(t, `CREATE TABLE keyless (v varchar)`)
	d.Exec(t, `ALTER TABLE channel_file DROP CONSTRAINT channel_file_file_id_fkey`)
	d.Shadow(t)
	_, err := d.Pool.Exec(t.Context(), `SELECT FROM file WHERE id = ANY ($1::text[])`, ids)
	require.ErrorContains(t, err, "shadowed")

	db := openWith(t, postgres.Options{URL: d.URL, Strict: true, Ignore: []string{"keyless"}, CitationsIgnore: true})
	refresh(t, db)
	pass(t, db)
	_, err = db.CheckDatabase(t.Context())
	require.NoError(t, err)
	_, err = db.Grants(t.Context(), "anybody")
	require.NoError(t, err)
	sweepOnce(t, db, ids)
	deleteOne(t, db, ids)
	requireKept(t, db, ids[:2]...)
	requireAll(t, d, 3)
	askEverything(t, db, ids)
	require.NoError(t, db.Uninstall(t.Context()))
}

// A role may have a schema of others before PostgreSQL's own: then every name is
// theirs, also in our migrations, in the places that are noted, in doctor's looks.
func TestPathBeforePostgreSQLsIsNotTrusted(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	ids := newFiles(t, d, 4)
	testenv.LinkChat(t, d.Pool, testenv.InsertChat(t, d.Pool, testenv.Chat{Files: ids[:1]}).ID, ids[1])
	d.Shadow(t)
	d.Exec(t, `CREATE FUNCTION to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$`)
	d.Exec(t, `CREATE FUNCTION md5(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$`)
	d.Exec(t, `CREATE VIEW pg_tables AS SELECT 1 / 0 AS shadowed`)
	url := d.URL + "&options=-csearch_path%3Dpublic%2Cpg_catalog"
	theirs, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = theirs.Close(context.WithoutCancel(t.Context())) })
	_, err = theirs.Exec(t.Context(), `SELECT to_regclass('file'::text)`)
	require.ErrorContains(t, err, "shadowed")

	db := openWith(t, postgres.Options{URL: url})
	refresh(t, db)
	_, err = db.CheckDatabase(t.Context())
	require.NoError(t, err)
	_, err = db.HasChunks(t.Context())
	require.NoError(t, err)
	sweepOnce(t, db, ids)
	trashOne(t, db, ids[3])
	refresh(t, db)
	deleteOne(t, db, ids)
	askEverything(t, db, ids)
	again := openWith(t, postgres.Options{URL: url})
	require.NoError(t, again.Uninstall(t.Context()))
}

// sweepOnce does what a sweep does.
func sweepOnce(t *testing.T, db *postgres.DB, ids []string) {
	ctx, ages := t.Context(), repo.Ages{Min: time.Hour, Pending: time.Hour}
	leads, err := db.AcquireLease(ctx, "we", time.Minute)
	require.NoError(t, err)
	require.True(t, leads)
	inTx(t, db, func(tx tx) {
		sweep, err := db.BeginSweep(ctx, tx)
		require.NoError(t, err)
		require.NoError(t, db.UpsertRowCandidates(ctx, tx, sweep))
		for _, d := range []repo.Direction{repo.FromRows, repo.FromVectors, repo.FromBytes} {
			if d != repo.FromRows {
				require.NoError(t, db.UpsertListed(ctx, tx, sweep, d, "a store", []repo.Listed{{FileID: ids[0], Name: ids[0] + "_x"}, {FileID: "other", Name: "other_x"}}))
				require.NoError(t, db.DropStale(ctx, tx, sweep, d))
			}
			_, err = db.CountCandidates(ctx, tx, d, ages, 2)
			require.NoError(t, err)
			_, err = db.CheckSanity(ctx, tx, d, 2)
			require.NoError(t, err)
			_, err = db.ListCandidates(ctx, tx, d, ages, "", 10)
			require.NoError(t, err)
			require.NoError(t, db.MarkEnqueued(ctx, tx, d, ids))
		}
		_, err = db.SetHold(ctx, tx, repo.Hold{ID: "h", Direction: repo.FromVectors, Store: "a store", Reason: "r"})
		require.NoError(t, err)
		_, err = db.ConfirmHold(ctx, tx, "h", nil)
		require.NoError(t, err)
		_, _, err = db.StoreApproval(ctx, tx, "a store")
		require.NoError(t, err)
		require.NoError(t, db.ClearHold(ctx, tx, repo.FromVectors))
	})
	_, _, err = db.NextCandidate(ctx, ages)
	require.NoError(t, err)
	require.NoError(t, db.ReleaseLease(ctx, "we"))
	require.NoError(t, db.ExpireOld(ctx, time.Hour))
}

// deleteOne does what a batch does, with the last of the files.
func deleteOne(t *testing.T, db *postgres.DB, ids []string) {
	ctx, last := t.Context(), ids[3:]
	_, err := deletion(db, last, nothing)
	require.NoError(t, err)
	inTx(t, db, func(tx tx) {
		require.NoError(t, db.SetGrace(ctx, tx, repo.FromRows, ids, nil))
		require.NoError(t, db.SetGrace(ctx, tx, repo.FromRows, nil, ids))
		require.NoError(t, db.RecordEntries(ctx, tx, []repo.Entry{{FileID: last[0], Outcome: "deleted"}}))
		require.NoError(t, db.Settle(ctx, tx, repo.Settlement{Notes: []repo.Note{{FileID: last[0], Text: "a note"}}}))
		require.NoError(t, db.AddTombstones(ctx, tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: last[0], Name: "a"}, {Kind: repo.Vectors, FileID: last[0]}}))
	})
	inTx(t, db, func(tx tx) {
		due, err := db.FetchDue(ctx, tx, repo.Bytes, 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
		living, err := db.StillReferenced(ctx, tx, due)
		require.NoError(t, err)
		require.Empty(t, living)
		require.NoError(t, db.Settle(ctx, tx, repo.Settlement{Retry: []repo.Retry{{Seq: due[0].Seq, Delay: time.Minute, Reason: "why"}}}))
		_, err = db.PendingBlobs(ctx, tx, ids)
		require.NoError(t, err)
		require.NoError(t, db.Settle(ctx, tx, repo.Settlement{Done: []int64{due[0].Seq}}))
	})
}

// trashOne does what a restore does, with one of the files.
func trashOne(t *testing.T, db *postgres.DB, id string) {
	ctx := t.Context()
	inTx(t, db, func(tx tx) {
		_, err := db.Delete(ctx, tx, []string{id}, time.Hour)
		require.NoError(t, err)
		require.NoError(t, db.AddTombstones(ctx, tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: id, Name: "a", Delay: time.Hour}}))
		require.NoError(t, db.ClaimBytes(ctx, tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: id, Name: "b"}}))
	})
	list, err := db.ListTrash(ctx, repo.TrashFilter{IDs: []string{id}, Since: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	require.Len(t, list, 1)
	_, err = db.SumTrash(ctx)
	require.NoError(t, err)
	inTx(t, db, func(tx tx) {
		_, found, err := db.LockTrash(ctx, tx, id)
		require.NoError(t, err)
		require.True(t, found)
		_, err = db.Restore(ctx, tx, id)
		require.NoError(t, err)
	})
	require.NoError(t, db.EmptyTrash(ctx, []string{id}, 0))
}

func askEverything(t *testing.T, db *postgres.DB, ids []string) {
	ctx := t.Context()
	for _, ask := range []func() error{
		func() error { _, err := db.Backlog(ctx, repo.Bytes, repo.Vectors); return err },
		func() error { _, _, err := db.CountForeignTombstones(ctx); return err },
		func() error { _, err := db.ListHolds(ctx); return err },
		func() error { _, err := db.ListWebhooks(ctx); return err },
		func() error { _, err := db.MissingForeignKeys(ctx); return err },
		func() error { _, _, err := db.DescribeFile(ctx, ids[0]); return err },
		func() error {
			return db.InTx(ctx, nil, func(tx tx) error { _, err := db.ListReferences(ctx, tx, ids[0]); return err })
		},
		func() error {
			for _, err := range db.ReadLedger(context.WithoutCancel(ctx), "") {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		require.NoError(t, ask())
	}
}

// A trigger of the application's finds its tables as it does for the application.
func TestPathOfTriggersIsTheRoles(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	d.Exec(t, `CREATE TABLE audit (n int);
		CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (1); RETURN OLD; END';
		CREATE TRIGGER noted BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION note_it()`)
	ids := newFiles(t, d, 1)
	refresh(t, db)
	_, err := deletion(db, ids, nothing)
	require.NoError(t, err)
	requireAll(t, d, 0)
	require.Equal(t, 1, testenv.Value[int](t, d, `SELECT count(*) FROM audit`))
}

// A role called pruned has our own schema first on its search path, once it is made:
// the application's is found all the same, and that is told.
func TestPathOfARoleCalledPruned(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{})
	d := server.New(t)
	d.Exec(t, `CREATE ROLE pruned LOGIN SUPERUSER`)
	url := roleURL(t, d, "pruned")
	ids := newFiles(t, d, 2)
	insertMention(t, d, ids[0])
	for range 2 {
		db := openWith(t, postgres.Options{URL: url})
		require.Equal(t, "public", db.Schema())
		refresh(t, db)
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[1])
		require.Contains(t, examined(t, db, "schema").Remedy, "ALTER ROLE pruned SET search_path")
	}
}

// A schema of our role's own name, without the application's tables, hides them from
// nobody; tables that lie off the path are named.
func TestPathWithoutTheApplicationsSchema(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.InSchema())
	d.Exec(t, `CREATE SCHEMA first; CREATE TABLE first.file (id text); CREATE SCHEMA alone`)
	path := func(list string) string { return d.URL + "&search_path=" + list }
	db := openWith(t, postgres.Options{URL: path("first," + testenv.Schema)})
	require.Equal(t, testenv.Schema, db.Schema())
	_, err := postgres.Open(t.Context(), postgres.Options{URL: path("alone")})
	require.ErrorContains(t, err, "schema alone is empty")
	require.ErrorContains(t, err, "Open WebUI's tables are in schema "+testenv.Schema)
}

// A table whose key has a type that an extension brought is searched by its index,
// though that type's operators are off the path.
func TestPathOfKeysOfExtensions(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "citext")
	d := testenv.New(t)
	d.Exec(t, `CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE TABLE one (id citext PRIMARY KEY, v text);
		CREATE TABLE two (a ltree, b citext, v text, PRIMARY KEY (a, b))`)
	db := open(t, d)
	ids := newFiles(t, d, 3)
	d.Exec(t, `INSERT INTO one VALUES ('Key', $1)`, ids[0])
	d.Exec(t, `INSERT INTO two VALUES ('a.b', 'Key', $1)`, ids[1])
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[:2]...)
		requireFree(t, db, ids[2])
		readAll(t, d, db)
	}
}
