package sqlite_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

// TestADeclarationIsNotAFact: a foreign key that nobody enforces says nothing about
// life. Each of these rows has a parent that is gone, or cannot be looked up, and
// keeps its file.
func TestADeclarationIsNotAFact(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"a shared chat is served without its chat": {
			`INSERT INTO shared_chat (id, chat_id, user_id, title, chat, created_at, updated_at) VALUES ('s', 'gone', 'u', 't', '{"files":[{"id":"{id}"}]}', 1, 1)`},
		"a channel's webhook": {
			`INSERT INTO channel_webhook (id, user_id, channel_id, name, token, profile_image_url, created_at, updated_at) VALUES ('w', 'u', 'gone', 'n', 't', '/api/v1/files/{id}', 1, 1)`},
		"a plugin's table": {
			`CREATE TABLE plugin_page (chat TEXT REFERENCES chat (id) ON DELETE CASCADE, text TEXT)`,
			`INSERT INTO plugin_page VALUES ('gone', '{id}')`},
		"a plugin's table that ends like a link table": {
			`CREATE TABLE plugin_file (chat_id TEXT REFERENCES chat (id) ON DELETE CASCADE, file_id TEXT)`,
			`INSERT INTO plugin_file VALUES ('gone', '{id}')`},
		"a key to a column that does not exist": {
			`CREATE TABLE plugin_page (chat TEXT REFERENCES chat (no_such) ON DELETE CASCADE, text TEXT)`,
			`INSERT INTO plugin_page VALUES ('gone', '{id}')`},
		"a key to a table without a key": {
			`CREATE TABLE keyless (a TEXT)`,
			`CREATE TABLE plugin_page (a TEXT REFERENCES keyless ON DELETE CASCADE, text TEXT)`,
			`INSERT INTO plugin_page VALUES ('gone', '{id}')`},
		"a key to a table that does not exist": {
			`CREATE TABLE plugin_page (a TEXT REFERENCES no_such (a) ON DELETE CASCADE, text TEXT)`,
			`INSERT INTO plugin_page VALUES ('gone', '{id}')`},
		"a link whose parents' table has another key": {
			`DROP TABLE knowledge`, `CREATE TABLE knowledge (number INTEGER PRIMARY KEY, user_id TEXT)`,
			`INSERT INTO knowledge_file (id, user_id, knowledge_id, file_id, created_at, updated_at) VALUES ('k', 'u', 'gone', '{id}', 1, 1)`},
		"a link whose parents have no table": {
			`DROP TABLE knowledge`,
			`INSERT INTO knowledge_file (id, user_id, knowledge_id, file_id, created_at, updated_at) VALUES ('k', 'u', 'gone', '{id}', 1, 1)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.NewSQLite(t)
			kept, free := newFile(t, d), newFile(t, d)
			fill(t, d, kept, statements)
			requireKept(t, d, kept, free)
		})
	}
}

// TestNotUnderstoodIsSaid: what looks like a table of Open WebUI, or like one of
// ours, and is none.
func TestNotUnderstoodIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statements []string
		words      []string
	}{
		"a view in place of chat":          {[]string{`ALTER TABLE chat RENAME TO moved`, `CREATE VIEW chat AS SELECT * FROM moved`}, []string{"chat is a view"}},
		"a view in place of note":          {[]string{`ALTER TABLE note RENAME TO moved`, `CREATE VIEW Note AS SELECT * FROM moved`}, []string{"Note is a view"}},
		"a virtual table in place of chat": {[]string{`DROP TABLE chat`, `CREATE VIRTUAL TABLE chat USING fts5(id, text)`}, []string{"chat is a virtual table"}},
		"chat lies in another file":        {[]string{`DROP TABLE chat`}, []string{"chat is missing"}},
		"file without numbers of rows":     {[]string{`DROP TABLE file`, `CREATE TABLE file (id TEXT PRIMARY KEY, path, data, meta, created_at, updated_at) WITHOUT ROWID`}, []string{"table file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.NewSQLiteRollback(t)
			fill(t, d, "", c.statements)
			require.NoError(t, d.DB.Close())
			refused(t, d.Path, c.words...)
		})
	}
}

// TestNotUnderstoodIsSaidWhileWeRun: the same, done to a database that is open.
func TestNotUnderstoodIsSaidWhileWeRun(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	db, ctx := open(t, d), context.Background()
	id := newFile(t, d)
	require.NoError(t, db.IndexAll(ctx, nil))
	fill(t, d, "", []string{`ALTER TABLE chat RENAME TO moved`, `CREATE VIEW chat AS SELECT * FROM moved`})
	require.ErrorContains(t, db.IndexAll(ctx, nil), "chat is a view")
	_, err := remove(ctx, db, id)
	require.ErrorContains(t, err, "chat is a view")
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM file`))
}

// TestNotUnderstoodIsSearched: tables whose names only begin like ours are
// somebody's, and stay when ours go.
func TestNotUnderstoodIsSearched(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"a name that begins like ours": {`CREATE TABLE pruned_branches (text TEXT)`, `INSERT INTO pruned_branches VALUES ('{id}')`},
		"a view elsewhere":             {`CREATE TABLE plugin_text (text TEXT)`, `INSERT INTO plugin_text VALUES ('{id}')`, `CREATE VIEW plugin_view AS SELECT * FROM plugin_text`},
		"a full-text index":            {`CREATE VIRTUAL TABLE plugin_search USING fts5(text)`, `INSERT INTO plugin_search VALUES ('{id}')`},
		"a table without rowid":        {`CREATE TABLE plugin_text (text TEXT PRIMARY KEY) WITHOUT ROWID`, `INSERT INTO plugin_text VALUES ('{id}')`},
		"names of all row numbers":     {`CREATE TABLE plugin_text (rowid TEXT, oid TEXT, _rowid_ TEXT)`, `INSERT INTO plugin_text VALUES ('{id}', '', '')`},
		"a stored generated column":    {`CREATE TABLE plugin_text (a TEXT, b TEXT GENERATED ALWAYS AS (a || '{id}') STORED)`, `INSERT INTO plugin_text VALUES ('x')`},
		"a blob":                       {`CREATE TABLE plugin_text (a BLOB)`, `INSERT INTO plugin_text VALUES (CAST('x{id}x' AS BLOB))`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.NewSQLite(t)
			kept, free := newFile(t, d), newFile(t, d)
			fill(t, d, kept, statements)
			before := schema(t, d)
			db := requireKept(t, d, kept, free)
			require.NoError(t, db.Uninstall(context.Background()))
			require.Equal(t, before, schema(t, d))
		})
	}
}

// fill runs statements, in which {id} is an id.
func fill(t *testing.T, d *testenv.SQLite, id string, statements []string) {
	t.Helper()
	d.DB.SetMaxOpenConns(1)
	for _, query := range statements {
		d.Exec(t, strings.ReplaceAll(query, "{id}", id))
	}
}

// requireKept says that of two files the first is kept, and the other goes.
func requireKept(t *testing.T, d *testenv.SQLite, kept, free string) *sqlite.DB {
	t.Helper()
	db, ctx := open(t, d), context.Background()
	require.NoError(t, db.IndexAll(ctx, nil))
	deleted, err := remove(ctx, db, kept, free)
	require.NoError(t, err)
	require.Len(t, deleted, 1)
	require.Equal(t, free, deleted[0].ID)
	insertMention(t, d, uuid.NewString()) // the same by what changed since
	deleted, err = remove(ctx, db, kept)
	require.NoError(t, err)
	require.Empty(t, deleted)
	return db
}
