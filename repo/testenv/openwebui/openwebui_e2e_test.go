//go:build e2e

package openwebui_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestE2EScenarioOnPostgreSQL(t *testing.T) {
	t.Parallel()
	db := testenv.New(t, testenv.Empty())
	app := start(t, openwebui.Options{DatabaseURL: db.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector})

	scenario, err := openwebui.Prepare(t.Context(), app)
	require.NoError(t, err)
	count(t, db, app, "prepared")
	require.NoError(t, scenario.Forget(t.Context()))
	count(t, db, app, "forgotten")

	world := scenario.World
	require.NoError(t, openwebui.Verify(t.Context(), app, world))
	rows := testenv.Column[string](t, db, `SELECT id FROM file ORDER BY id COLLATE "C"`)
	assert.Equal(t, openwebui.IDs(slices.Concat(world.Used, world.Unused)), rows)
	assert.Equal(t, openwebui.IDs(world.Used), mentioned(t, db, rows))
	require.ErrorContains(t, openwebui.VerifyPruned(t.Context(), app, world), "its row is left")

	prune(t, db, app, openwebui.IDs(world.Unused))
	require.ErrorContains(t, openwebui.VerifyPruned(t.Context(), app, world), "its vectors are left in a knowledge base")
	db.Exec(t, "DELETE FROM document_chunk WHERE vmetadata ->> 'file_id' = ANY($1)", openwebui.IDs(world.Gone))
	count(t, db, app, "pruned by hand")
	assert.NoError(t, openwebui.VerifyPruned(t.Context(), app, world))
	assert.NoError(t, openwebui.Verify(t.Context(), app, world))
	prune(t, db, app, openwebui.IDs(world.Used)[:1])
	assert.ErrorContains(t, openwebui.Verify(t.Context(), app, world), openwebui.IDs(world.Used)[0])
}

func TestE2EScenarioOnSQLiteWithChromaSurvivesACrash(t *testing.T) {
	t.Parallel()
	app := start(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma})

	world, err := openwebui.Fill(t.Context(), app)
	require.NoError(t, err)
	require.NoError(t, openwebui.Verify(t.Context(), app, world))
	require.NoError(t, app.Kill())
	require.NoError(t, app.Restart(t.Context()))
	require.NoError(t, openwebui.Verify(t.Context(), app, world))
}

func TestE2EAnotherStartOnTheSameDataFindsItsModelAgain(t *testing.T) {
	t.Parallel()
	options := openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma}
	first, err := openwebui.Start(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, first.Stop())

	app := start(t, options)
	id, err := app.Upload(t.Context(), "again.txt", "Written after the second start.", true)
	require.NoError(t, err)
	texts, err := app.QueryCollection(t.Context(), openwebui.FileCollection(id), "second", 1)
	require.NoError(t, err)
	assert.Equal(t, []string{"Written after the second start."}, texts)
	_, err = app.Ask(t.Context(), openwebui.Chat{Title: "Again", Files: []string{id}})
	assert.NoError(t, err)
}

func start(t *testing.T, options openwebui.Options) *openwebui.App {
	t.Helper()
	app, err := openwebui.Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Stop()) })
	return app
}

// mentioned returns those of the ids that some row of some table mentions, beside the tables that do
// not count, in order.
func mentioned(t *testing.T, db *testenv.Database, ids []string) []string {
	t.Helper()
	tables := testenv.Column[string](t, db, `
SELECT quote_ident(tablename) FROM pg_tables
WHERE schemaname = 'public'
	AND tablename NOT IN ('file', 'document_chunk', 'config_old', 'access_grant', 'alembic_version')`)
	uuid := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	found := map[string]bool{}
	for _, table := range tables {
		for _, row := range testenv.Column[string](t, db, "SELECT r::text FROM "+table+" r") {
			for _, id := range uuid.FindAllString(row, -1) {
				found[id] = true
			}
		}
	}
	maps.DeleteFunc(found, func(id string, _ bool) bool { return !slices.Contains(ids, id) })
	return slices.Sorted(maps.Keys(found))
}

// prune deletes files in the crudest way.
func prune(t *testing.T, db *testenv.Database, app *openwebui.App, ids []string) {
	t.Helper()
	db.Exec(t, "DELETE FROM document_chunk WHERE collection_name IN (SELECT 'file-' || unnest($1::text[]))", ids)
	db.Exec(t, "DELETE FROM file WHERE id = ANY($1)", ids)
	for _, id := range ids {
		paths, err := filepath.Glob(filepath.Join(app.UploadDir(), id+"_*"))
		require.NoError(t, err)
		require.Len(t, paths, 1)
		require.NoError(t, os.Remove(paths[0]))
	}
}

func count(t *testing.T, db *testenv.Database, app *openwebui.App, when string) {
	t.Helper()
	files := testenv.Value[int](t, db, "SELECT count(*) FROM file")
	chunks := testenv.Value[int](t, db, "SELECT count(*) FROM document_chunk")
	collections := testenv.Value[int](t, db, "SELECT count(DISTINCT collection_name) FROM document_chunk")
	stored, bytes := stored(t, app.UploadDir())
	t.Logf("%s: %d rows, %d chunks in %d collections, %d bytes in %d stored files",
		when, files, chunks, collections, bytes, stored)
}

func stored(t *testing.T, dir string) (files int, bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		files, bytes = files+1, bytes+info.Size()
		return err
	})
	require.NoError(t, err)
	return files, bytes
}
