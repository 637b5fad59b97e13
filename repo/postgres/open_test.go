package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// What is no database of Open WebUI's is refused, in a sentence that says what is
// wrong and what to do.
func TestOtherDatabasesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make   string
		schema string
		says   []string
	}{
		"empty":             {``, "", []string{"schema public is empty", "start Open WebUI once"}},
		"no such schema":    {``, "owui", []string{"schema owui is empty", "DATABASE_SCHEMA"}},
		"somebody else's":   {`CREATE TABLE orders (id int)`, "", []string{"not Open WebUI's", "no table file"}},
		"with a table file": {`CREATE TABLE file (id text)`, "", []string{"not Open WebUI's", "alembic_version"}},
		"too old": {
			`CREATE TABLE alembic_version (version_num text); CREATE TABLE file (id text, user_id text, filename text, meta text, created_at bigint)`,
			"", []string{"missing file.path", "file.data", "file.updated_at"},
		},
		"ours":             {``, "pruned", []string{"cannot hold the application's tables"}},
		"PostgreSQL's":     {``, "pg_catalog", []string{"cannot hold the application's tables"}},
		"no schema at all": {`ALTER ROLE CURRENT_USER IN DATABASE DB SET search_path = 'nowhere'`, "", []string{"search_path", "DATABASE_SCHEMA"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t, testenv.Empty())
			d.Exec(t, replaced(c.make, "DB", d.Name))
			_, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL, Schema: c.schema})
			require.Equal(t, repo.Environment, repo.KindOf(err))
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
			require.Zero(t, testenv.Value[int](t, d, `SELECT count(*) FROM pg_namespace WHERE nspname = 'pruned'`))
		})
	}
}

// The schema is the connection's current one where none is named, as the
// application has it.
func TestSchemaIsTheConnections(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.InSchema())
	_, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL})
	require.ErrorContains(t, err, "schema public is empty")
	d.Exec(t, `ALTER DATABASE `+d.Name+` SET search_path = `+testenv.Schema+`, public`)
	db := openWith(t, postgres.Options{URL: d.URL})
	require.Equal(t, testenv.Schema, db.Schema())
	ids := newFiles(t, d, 5)
	chat, channel := testenv.InsertChat(t, d.Pool, testenv.Chat{Files: ids[:1]}), testenv.InsertChannel(t, d.Pool)
	testenv.LinkChat(t, d.Pool, chat.ID, ids[1])
	testenv.InsertMessage(t, d.Pool, channel, "", ids[2])
	testenv.InsertMessage(t, d.Pool, "no such channel", "", ids[3])
	refresh(t, db)
	requireKept(t, db, ids[:3]...)
	requireFree(t, db, ids[3:]...)
	appeared, err := deletion(db, ids[3:], func() { testenv.InsertNote(t, d.Pool, ids[4]) })
	require.NoError(t, err)
	require.Len(t, appeared, 1)
	requireAll(t, d, 3)
	inTx(t, db, func(tx tx) {
		living, err := db.StillReferenced(t.Context(), tx, []repo.Tombstone{{Seq: 1, FileID: ids[0]}, {Seq: 2, FileID: ids[4]}})
		require.NoError(t, err)
		require.Equal(t, map[int64]bool{1: true}, living)
	})
	require.True(t, examined(t, db, "foreign keys").OK)
}

// Every revision that has what we need works, each with the tables it has.
func TestOlderRevisionsWork(t *testing.T) {
	t.Parallel()
	for _, revision := range testenv.Revisions {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t, testenv.Revision(revision))
			ids := newFiles(t, d, 8)
			refresh(t, db)
			testenv.InsertChat(t, d.Pool, testenv.Chat{Files: ids[:1]})
			testenv.InsertKnowledge(t, d.Pool, ids[1])
			testenv.InsertMessage(t, d.Pool, testenv.InsertChannel(t, d.Pool), "Look", ids[2])
			testenv.InsertNote(t, d.Pool, ids[3])
			testenv.InsertFolder(t, d.Pool, ids[4])
			testenv.InsertModel(t, d.Pool, ids[5])
			for range 2 {
				requireKept(t, db, ids[:6]...)
				requireFree(t, db, ids[6:]...)
				readAll(t, d, db)
			}
			_, err := deletion(db, ids[6:], nothing)
			require.NoError(t, err)
			requireAll(t, d, 6)
			for _, check := range []string{"privileges", "foreign keys", "reference index"} {
				require.True(t, examined(t, db, check).OK, check)
			}
		})
	}
}

// Migrate is repeatable, by several at once, and uninstall leaves nothing.
func TestMigrateAndUninstall(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	before := testenv.Column[string](t, d, `SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY 1`)
	require.Contains(t, before, "pruned")
	for range 2 {
		other := open(t, d)
		require.NoError(t, other.Migrate(t.Context()))
	}
	require.NoError(t, db.Uninstall(t.Context()))
	require.NoError(t, db.Uninstall(t.Context()))
	require.NotContains(t, testenv.Column[string](t, d, `SELECT nspname::text FROM pg_namespace`), "pruned")
	err := db.IndexChanges(t.Context())
	require.Equal(t, repo.Environment, repo.KindOf(err))
	_, err = tryLook(db, "x")
	require.Equal(t, repo.Environment, repo.KindOf(err))

	fresh := testenv.New(t)
	failures := make(chan error, 4)
	for range cap(failures) {
		one, err := postgres.Open(t.Context(), postgres.Options{URL: fresh.URL})
		require.NoError(t, err)
		t.Cleanup(one.Close)
		go func() { failures <- one.Migrate(t.Context()) }()
	}
	for range cap(failures) {
		require.NoError(t, <-failures)
	}
}
