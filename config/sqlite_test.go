package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDatabaseThatIsAFile(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"sqlite:////data/webui.db":              "/data/webui.db",
		"sqlite+aiosqlite:////data/webui.db":    "/data/webui.db",
		"sqlite:///data/webui.db":               "data/webui.db",
		"sqlite:////d%20a/w b.db?timeout=5&x=y": "/d%20a/w b.db",
	} {
		c, err := parse(with("DATABASE_URL=" + raw))
		require.NoError(t, err, raw)
		path, ok := c.Database.SQLite()
		assert.True(t, ok)
		assert.Equal(t, want, path)
	}
	c, err := parse(usable)
	require.NoError(t, err)
	_, ok := c.Database.SQLite()
	assert.False(t, ok)
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const encrypted = " is encrypted (SQLCipher), and only the application itself can read that: "
	for want, environ := range map[string][]string{
		"sqlite+sqlcipher:////d/w.db" + encrypted:  {"DATABASE_URL=sqlite+sqlcipher:////d/w.db"},
		"sqlite+sqlcipher:///webui.db" + encrypted: {"DATABASE_URL=", "DATABASE_TYPE=sqlite+sqlcipher", "DATABASE_PASSWORD=hunter2"},
		"sqlite:// names no file: ":                {"DATABASE_URL=sqlite://"},
		"sqlite://*** names no file: ":             {"DATABASE_URL=sqlite:///:memory:"},
		"sqlite://data/webui.db has a host, which a file has not (an absolute path has four slashes): ": {"DATABASE_URL=sqlite://data/webui.db"},
	} {
		got := lines(t, with(environ...))
		require.Len(t, got, 1, want)
		assert.Contains(t, got[0], want+wantedDatabase)
		assert.NotContains(t, got[0], "hunter2")
	}
}

func TestFilesHaveNoSchemasAndNoPGVector(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"DATABASE_URL=sqlite:////data/webui.db", "DATABASE_TYPE=sqlite"} {
		assert.Equal(t, []string{
			"DATABASE_SCHEMA: is set, and a database that is a file has no schemas: unset it",
			`PGVECTOR_DB_URL: is not set, and the database is SQLite, which has no vectors: ` + wantedPostgres,
		}, lines(t, []string{file, "DATA_DIR=/data", "DATABASE_SCHEMA=owui", "VECTOR_DB=pgvector"}))
	}
}

func TestNothingButADataDir(t *testing.T) {
	t.Parallel()
	for _, environ := range [][]string{{"DATA_DIR=/data"}, {"DATA_DIR=/data", "DATABASE_TYPE=sqlite"}} {
		c, err := parse(environ)
		require.NoError(t, err)
		path, ok := c.Database.SQLite()
		assert.True(t, ok)
		assert.Equal(t, "/data/webui.db", path)
		assert.Equal(t, "chroma", c.Vectors.DB)
		assert.True(t, c.Chroma.IsEmbedded())
		assert.Equal(t, []string{
			"DATABASE_URL is not set: found /data/webui.db",
			"VECTOR_DB is not set: taken for chroma, as by Open WebUI, in /data/vector_db",
		}, c.Assumed)
	}
}

func TestVectorStoreThatIsNotSet(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]string{
		"":                   "in /d/vector_db; where the vectors are in PostgreSQL, set it to pgvector",
		"CHROMA_HTTP_HOST=c": "taken for chroma, as CHROMA_HTTP_HOST is set",
	} {
		c, err := parse([]string{"DATABASE_URL=postgresql://db/webui", "DATA_DIR=/d", environ})
		require.NoError(t, err)
		assert.Equal(t, "chroma", c.Vectors.DB)
		require.Len(t, c.Assumed, 1)
		assert.Contains(t, c.Assumed[0], want)
	}
}

func TestDataDirIsWhereTheDatabaseIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inside, beside, missing := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	for _, d := range []string{inside, beside} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	assert.Equal(t, "data", defaultDataDir([]string{inside, beside}, missing))
	assert.Equal(t, dir, defaultDataDir([]string{inside, beside}, dir))
	assert.Equal(t, "data", defaultDataDir(nil, file(t, "no folder")))
	require.NoError(t, os.WriteFile(filepath.Join(beside, sqliteFile), nil, 0o600))
	assert.Equal(t, beside, defaultDataDir([]string{inside, beside}, dir))
	require.NoError(t, os.Mkdir(filepath.Join(inside, sqliteFile), 0o755))
	assert.Equal(t, beside, defaultDataDir([]string{inside, beside}, dir), "a folder is no database")
}

func TestQueueBesideAFileOfItsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	assert.Equal(t, filepath.Join(dir, "pruned"), queueDir(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pruned"), nil, 0o600))
	assert.Equal(t, filepath.Join(dir, "pruned.queue"), queueDir(dir))
}
