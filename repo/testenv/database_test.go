package testenv_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

const countTables = `
SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`

func TestNewHasTheSchemaAsked(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		options  []testenv.Option
		revision string
		tables   int
	}{
		"head":          {nil, "0bd252b206fb", 48},
		"in a schema":   {[]testenv.Option{testenv.InSchema()}, "0bd252b206fb", 48},
		"knowledge":     {[]testenv.Option{testenv.Revision("3e0e00844bb0")}, "3e0e00844bb0", 28},
		"chat files":    {[]testenv.Option{testenv.Revision("c440947495f3")}, "c440947495f3", 30},
		"chat messages": {[]testenv.Option{testenv.Revision("8452d01d26d7")}, "8452d01d26d7", 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testenv.New(t, want.options...)
			require.Equal(t, want.revision, testenv.Value[string](t, db, "SELECT version_num FROM alembic_version"))
			require.Equal(t, want.tables, testenv.Value[int](t, db, countTables))
			require.Equal(t, db.Schema, testenv.Value[string](t, db,
				"SELECT schemaname FROM pg_tables WHERE tablename = 'file'"))
			testenv.NewFile(t, db.Pool)
		})
	}
}

func TestNewEmptyHasNoTables(t *testing.T) {
	t.Parallel()
	require.Zero(t, testenv.Value[int](t, testenv.New(t, testenv.Empty()), countTables))
}

func TestDatabasesAreIsolated(t *testing.T) {
	t.Parallel()
	one, two := testenv.New(t), testenv.New(t)
	testenv.NewFile(t, one.Pool)
	require.Equal(t, 1, testenv.Value[int](t, one, "SELECT count(*) FROM file"))
	require.Equal(t, 0, testenv.Value[int](t, two, "SELECT count(*) FROM file"))
}

func TestConnIsAnApplicationsConnection(t *testing.T) {
	t.Parallel()
	db := testenv.New(t, testenv.InSchema())
	var path string
	require.NoError(t, db.Conn(t).QueryRow(t.Context(), "SHOW search_path").Scan(&path))
	require.Equal(t, `"$user", public`, path)
}

func TestVectorsAreTheApplications(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]testenv.VectorOptions{
		"plain":     {},
		"indexed":   {Dim: 8, Index: true},
		"half":      {Dim: 2500, Half: true, Index: true},
		"encrypted": {Dim: 8, Crypto: "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testenv.New(t, testenv.Vectors(options))
			file := testenv.NewFile(t, db.Pool)
			testenv.InsertChunks(t, db.Pool, testenv.Chunks{FileID: file, N: 3, Vectors: options})
			metadata := "vmetadata"
			if options.Crypto != "" {
				metadata = "pgp_sym_decrypt(vmetadata, 'secret')::jsonb"
			}
			require.Equal(t, []string{file, file, file}, testenv.Column[string](t, db,
				"SELECT "+metadata+"->>'file_id' FROM document_chunk WHERE collection_name = $1",
				testenv.FileCollection(file)))
		})
	}
}

func TestFixturesFitEveryRevision(t *testing.T) {
	t.Parallel()
	for _, revision := range testenv.Revisions {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			db := testenv.New(t, testenv.Revision(revision))
			insertOneOfEach(t, db)
		})
	}
}

func insertOneOfEach(t *testing.T, db *testenv.Database) {
	t.Helper()
	file := testenv.InsertFile(t, db.Pool, testenv.File{Status: "none"}).ID
	testenv.InsertUser(t, db.Pool)
	testenv.InsertChat(t, db.Pool, testenv.Chat{Files: []string{file}})
	testenv.InsertKnowledge(t, db.Pool, file)
	testenv.InsertMessage(t, db.Pool, testenv.InsertChannel(t, db.Pool), "Look", file)
	testenv.InsertNote(t, db.Pool, file)
	testenv.InsertFolder(t, db.Pool, file)
	testenv.InsertModel(t, db.Pool, file)
	for _, column := range []string{"chat.chat", "message.data", "note.data", "folder.data", "model.meta"} {
		table, _, _ := strings.Cut(column, ".")
		require.True(t, testenv.Value[bool](t, db,
			"SELECT "+column+"::text LIKE '%' || $1 || '%' FROM "+table, file), column)
	}
}

func TestLinksNeedTheirFile(t *testing.T) {
	t.Parallel()
	db := testenv.New(t)
	file, chat := testenv.NewFile(t, db.Pool), testenv.InsertChat(t, db.Pool, testenv.Chat{})
	testenv.LinkChat(t, db.Pool, chat.ID, file)
	testenv.LinkChannel(t, db.Pool, testenv.InsertChannel(t, db.Pool), file)
	require.EqualValues(t, 1, db.Exec(t, "DELETE FROM file WHERE id = $1", file))
	require.Zero(t, testenv.Value[int](t, db,
		"SELECT (SELECT count(*) FROM chat_file) + (SELECT count(*) FROM channel_file)"))
}

func TestFixturesJoinATransaction(t *testing.T) {
	t.Parallel()
	db := testenv.New(t)
	tx, err := db.Conn(t).Begin(t.Context())
	require.NoError(t, err)
	testenv.NewFile(t, tx)
	require.NoError(t, tx.Rollback(context.Background()))
	require.Zero(t, testenv.Value[int](t, db, "SELECT count(*) FROM file"))
}

// What is prepared is made once, and each test has a copy of it.
func TestPrepared(t *testing.T) {
	t.Parallel()
	ran := 0
	prepare := testenv.Prepared(func(ctx context.Context, url string) error {
		ran++
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, `CREATE TABLE prepared (id int)`)
		return errors.Join(err, conn.Close(ctx))
	})
	const count = `SELECT count(*) FROM prepared`
	one, two := testenv.New(t, prepare), testenv.New(t, prepare)
	require.Equal(t, 1, ran)
	one.Exec(t, `INSERT INTO prepared VALUES (1)`)
	require.Equal(t, 1, testenv.Value[int](t, one, count))
	require.Zero(t, testenv.Value[int](t, two, count))
	require.Zero(t, testenv.Value[int](t, testenv.New(t, prepare, testenv.Empty()), countTables))
}
