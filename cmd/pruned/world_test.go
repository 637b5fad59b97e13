package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
	"pruned/repo/testenv"
)

// application is a database of the release at hand, of which repotest knows the uses of files.
type application interface {
	Exec(t testing.TB, sql string, args ...any) int64
	Columns(t testing.TB, table string) []testenv.ColumnInfo
}

func buildWorld(t *testing.T, app application) repotest.World {
	t.Helper()
	e := repotest.Engine{Exec: app.Exec}
	if testenv.Release() != "" {
		e.Columns = app.Columns
	}
	return repotest.BuildWorld(t, e)
}

// Of a small world in which the application uses files in every way that it has, exactly the
// others go: rows, vectors and bytes. `make compat` has it on the schemas of older releases.
func TestWorldOnPostgreSQL(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	world := buildWorld(t, i.Database)
	for _, id := range world.IDs() {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: id, Vectors: small})
		testenv.WriteBytes(t, i.uploads(), id, "report.pdf")
	}
	i.prunesWorld(t, world)
	for _, used := range world.Used {
		require.Equal(t, left{1, 1, 1}, i.left(t, used.ID), used.By)
	}
	require.Equal(t, nothing, i.left(t, world.Unused...))
}

func TestWorldOnSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := bare("DATA_DIR="+dir, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0", "PRUNED_LOG_FORMAT=json", "PRUNED_MIN_AGE=0",
		"PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_TRASH=0", "PRUNED_MAX_FRACTION=1")
	i.dir = dir
	require.NoError(t, os.Mkdir(i.uploads(), 0o755))
	require.NoError(t, testenv.CopySQLite(t.Context(), filepath.Join(dir, "webui.db")))
	db, err := testenv.OpenSQLite(filepath.Join(dir, "webui.db"), "wal")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	app := &testenv.SQLite{DB: db}
	world := buildWorld(t, app)
	vectors := startVectors(t, filepath.Join(dir, "vector_db"))
	for _, id := range world.IDs() {
		vectors.insert(t, testenv.FileCollection(id), id, 1)
		testenv.WriteBytes(t, i.uploads(), id, "report.pdf")
	}
	i.prunesWorld(t, world)
	collections := vectors.collections(t)
	for _, used := range world.Used {
		require.EqualValues(t, 1, app.Count(t, `SELECT count(*) FROM file WHERE id = $1`, used.ID), used.By)
		require.FileExists(t, filepath.Join(i.uploads(), used.ID+"_report.pdf"), used.By)
		require.Contains(t, collections, testenv.FileCollection(used.ID), used.By)
	}
	require.EqualValues(t, len(world.Used), app.Count(t, `SELECT count(*) FROM file`))
	require.Len(t, collections, len(world.Used))
	entries, err := os.ReadDir(i.uploads())
	require.NoError(t, err)
	require.Len(t, entries, len(world.Used)+1, "with the mark of the folder's owner")
}

// prunesWorld deletes what is unused. What it tells `make compat` is what doctor says of the
// schema, and how many ways of use there are.
func (i *installation) prunesWorld(t *testing.T, world repotest.World) {
	t.Helper()
	told := ask[diagnosis](t, i, "doctor")
	require.True(t, told.OK, told)
	t.Attr("revision", told.of(t, "revision").Detail)
	t.Attr("uses", strconv.Itoa(len(world.Used)))
	once := ask[onceReport](t, i, "run", "--once")
	require.Equal(t, len(world.Unused), once.Summary.Deleted)
}

// A release that nobody knows yet: what it added keeps files all the same, and is told.
func TestNewerOpenWebUI(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	used, unused := testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool)
	i.Exec(t, `UPDATE alembic_version SET version_num = '0123456789ab'`)
	i.Exec(t, `ALTER TABLE file ADD COLUMN novel json; ALTER TABLE chat RENAME COLUMN chat TO conversation`)
	i.Exec(t, `CREATE TABLE novelty (id text PRIMARY KEY, holds jsonb)`)
	i.Exec(t, `INSERT INTO novelty VALUES ('one', jsonb_build_object('files', jsonb_build_array($1::text)))`, used)
	told := ask[diagnosis](t, i, "doctor")
	require.True(t, told.OK, told)
	require.Contains(t, told.of(t, "revision").Detail, "is at 0123456789ab, which is newer than this pruned knows")
	require.NotEmpty(t, told.of(t, "revision").Remedy)
	require.Equal(t, 1, ask[onceReport](t, i, "run", "--once").Summary.Deleted)
	require.Equal(t, 1, i.left(t, used).rows)
	require.Equal(t, nothing, i.left(t, unused))
}

// A schema from before something that pruned can use is told to be.
func TestOlderOpenWebUI(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Revision(testenv.Revisions[0]), testenv.Vectors(small))
	require.Regexp(t, `which is known; it has no access_grant .*; no webhooks `, ask[diagnosis](t, i, "doctor").of(t, "revision").Detail)
}
