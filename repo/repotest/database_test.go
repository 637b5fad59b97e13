package repotest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
)

const countTables = `
SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`

func TestNewHasTheSchemaAsked(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		options  []repotest.Option
		revision string
		tables   int
	}{
		"head":          {nil, "0bd252b206fb", 48},
		"in a schema":   {[]repotest.Option{repotest.InSchema()}, "0bd252b206fb", 48},
		"knowledge":     {[]repotest.Option{repotest.Revision("3e0e00844bb0")}, "3e0e00844bb0", 28},
		"chat files":    {[]repotest.Option{repotest.Revision("c440947495f3")}, "c440947495f3", 30},
		"chat messages": {[]repotest.Option{repotest.Revision("8452d01d26d7")}, "8452d01d26d7", 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := repotest.New(t, want.options...)
			require.Equal(t, want.revision, repotest.Value[string](t, db, "SELECT version_num FROM alembic_version"))
			require.Equal(t, want.tables, repotest.Value[int](t, db, countTables))
			require.Equal(t, db.Schema, repotest.Value[string](t, db,
				"SELECT schemaname FROM pg_tables WHERE tablename = 'file'"))
			repotest.NewFile(t, db.Pool)
		})
	}
}

func TestNewEmptyHasNoTables(t *testing.T) {
	t.Parallel()
	require.Zero(t, repotest.Value[int](t, repotest.New(t, repotest.Empty()), countTables))
}

func TestDatabasesAreIsolated(t *testing.T) {
	t.Parallel()
	one, two := repotest.New(t), repotest.New(t)
	repotest.NewFile(t, one.Pool)
	require.Equal(t, 1, repotest.Value[int](t, one, "SELECT count(*) FROM file"))
	require.Equal(t, 0, repotest.Value[int](t, two, "SELECT count(*) FROM file"))
}

func TestConnIsAnApplicationsConnection(t *testing.T) {
	t.Parallel()
	db := repotest.New(t, repotest.InSchema())
	var path string
	require.NoError(t, db.Conn(t).QueryRow(t.Context(), "SHOW search_path").Scan(&path))
	require.Equal(t, `"$user", public`, path)
}

func TestVectorsAreTheApplications(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]repotest.VectorOptions{
		"plain":     {},
		"indexed":   {Dim: 8, Index: true},
		"half":      {Dim: 2500, Half: true, Index: true},
		"encrypted": {Dim: 8, Crypto: "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := repotest.New(t, repotest.Vectors(options))
			file := repotest.NewFile(t, db.Pool)
			repotest.InsertChunks(t, db.Pool, repotest.Chunks{FileID: file, N: 3, Vectors: options})
			metadata := "vmetadata"
			if options.Crypto != "" {
				metadata = "pgp_sym_decrypt(vmetadata, 'secret')::jsonb"
			}
			require.Equal(t, []string{file, file, file}, repotest.Column[string](t, db,
				"SELECT "+metadata+"->>'file_id' FROM document_chunk WHERE collection_name = $1",
				repotest.FileCollection(file)))
		})
	}
}

func TestFixturesFitEveryRevision(t *testing.T) {
	t.Parallel()
	for _, revision := range repotest.Revisions {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			db := repotest.New(t, repotest.Revision(revision))
			insertOneOfEach(t, db)
		})
	}
}

func insertOneOfEach(t *testing.T, db *repotest.Database) {
	t.Helper()
	file := repotest.InsertFile(t, db.Pool, repotest.File{Status: "none"}).ID
	repotest.InsertUser(t, db.Pool)
	repotest.InsertChat(t, db.Pool, repotest.Chat{Files: []string{file}})
	repotest.InsertKnowledge(t, db.Pool, file)
	repotest.InsertMessage(t, db.Pool, repotest.InsertChannel(t, db.Pool), "Look", file)
	repotest.InsertNote(t, db.Pool, file)
	repotest.InsertFolder(t, db.Pool, file)
	repotest.InsertModel(t, db.Pool, file)
	for _, column := range []string{"chat.chat", "message.data", "note.data", "folder.data", "model.meta"} {
		table, _, _ := strings.Cut(column, ".")
		require.True(t, repotest.Value[bool](t, db,
			"SELECT "+column+"::text LIKE '%' || $1 || '%' FROM "+table, file), column)
	}
}

func TestLinksNeedTheirFile(t *testing.T) {
	t.Parallel()
	db := repotest.New(t)
	file, chat := repotest.NewFile(t, db.Pool), repotest.InsertChat(t, db.Pool, repotest.Chat{})
	repotest.LinkChat(t, db.Pool, chat.ID, file)
	repotest.LinkChannel(t, db.Pool, repotest.InsertChannel(t, db.Pool), file)
	require.EqualValues(t, 1, db.Exec(t, "DELETE FROM file WHERE id = $1", file))
	require.Zero(t, repotest.Value[int](t, db,
		"SELECT (SELECT count(*) FROM chat_file) + (SELECT count(*) FROM channel_file)"))
}

func TestFixturesJoinATransaction(t *testing.T) {
	t.Parallel()
	db := repotest.New(t)
	tx, err := db.Conn(t).Begin(t.Context())
	require.NoError(t, err)
	repotest.NewFile(t, tx)
	require.NoError(t, tx.Rollback(context.Background()))
	require.Zero(t, repotest.Value[int](t, db, "SELECT count(*) FROM file"))
}
