package main

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/cmd/pruned/demo"
	"pruned/consumer"
)

// scratch is an installation on SQLite with embedded Chroma.
func scratch(t *testing.T, settings ...string) (*installation, *demo.World) {
	t.Helper()
	world, err := demo.Make(t.Context(), t.TempDir(), 10)
	require.NoError(t, err)
	i := bare(append([]string{
		"DATA_DIR=" + world.Dir, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0", "PRUNED_LOG_FORMAT=json",
		"PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_TRASH=0",
	}, settings...)...)
	i.dir = world.Dir
	return i, world
}

func holdings(t *testing.T, w *demo.World) demo.Holdings {
	t.Helper()
	h, err := w.Holdings(t.Context())
	require.NoError(t, err)
	return h
}

// With nothing but a data folder: what is in use is left, and nothing else.
func TestOneFolderIsEnough(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	before := holdings(t, world)
	require.True(t, ask[struct{ OK bool }](t, i, "doctor", "--quick").OK)

	dry := i.sweep(t, exitHeld, "--dry-run")
	require.Zero(t, dry.Published)
	_, _, errs := i.pruned(t, "", "sweep", "--dry-run")
	require.NotContains(t, errs, "--confirm", "an id that is rolled back confirms nothing")
	held := i.sweep(t, exitHeld)
	require.EqualValues(t, len(before.Rows), held.Files)
	require.Positive(t, held.Held)
	require.Equal(t, before, holdings(t, world))
	orphans := countOrphans(world)
	require.EqualValues(t, orphans, held.Published+i.sweep(t, exitDone, "--confirm", held.ID).Published)
	summary := i.drain(t)
	require.Equal(t, orphans, summary.Deleted+summary.Gone)
	require.Zero(t, summary.Waiting)
	require.NoError(t, world.Verify(before, holdings(t, world)))

	i.must(t, "uninstall", "--yes")
	require.NoError(t, world.Verify(before, holdings(t, world)))
}

// The daemon finds everything by itself.
func TestRunOnAFolder(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1", "PRUNED_BATCH=10")
	before := holdings(t, world)
	d := i.start(t)
	require.Contains(t, d.errs.String(), "DATABASE_URL is not set: found "+filepath.Join(world.Dir, "webui.db"))
	require.Contains(t, d.errs.String(), "VECTOR_DB is not set: taken for chroma")
	kept := len(before.Bytes) - countOrphans(world) + 2 // vectors without a row have no bytes
	require.Eventually(t, func() bool {
		entries, err := filepath.Glob(filepath.Join(world.Dir, "uploads", "[^.]*"))
		return err == nil && len(entries) == kept
	}, signalTimeout, 40*pollEvery)
	require.Eventually(t, func() bool { return world.Verify(before, holdings(t, world)) == nil }, signalTimeout, 400*pollEvery)
	require.Zero(t, d.stop(t))
	require.NotContains(t, d.errs.String(), `"level":"error"`)
}

// Where pruned is started in the data folder, nothing has to be set at all. The
// folder is the process's, so this test is not parallel.
func TestStartedInTheDataFolder(t *testing.T) {
	_, world := scratch(t)
	t.Chdir(world.Dir)
	status, out, errs := bare("PRUNED_LOG_FORMAT=json", "PRUNED_NATS_LISTEN=127.0.0.1:0").pruned(t, "", "run", "--drain", "-o", "json")
	require.Zero(t, status, errs)
	var summary consumer.Summary
	require.NoError(t, json.Unmarshal([]byte(out), &summary))
	require.Contains(t, errs, "found webui.db")
	t.Chdir(filepath.Dir(world.Dir))
}

func TestDemo(t *testing.T) {
	t.Parallel()
	// Whatever the operator's settings are.
	i := bare("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d", "NATS_URL=nats://127.0.0.1:1", "PRUNED_DRY_RUN=true")
	out := i.must(t, "demo", "--part=10")
	require.Contains(t, out, "Exactly what nothing uses is gone")
	require.Contains(t, out, "its chat was deleted")
	folder := strings.Fields(out)[4]
	require.NoDirExists(t, strings.TrimSuffix(folder, ":"))
	got := ask[struct {
		OK    bool
		Kinds []kindResult
	}](t, i, "demo", "--part=10")
	require.True(t, got.OK)
	for _, kind := range got.Kinds {
		require.True(t, kind.isExpected(), kind.What)
		require.NotEmpty(t, kind.Why)
	}
}

// openWorld runs statements of the application's on a scratch installation.
func openWorld(t *testing.T, world *demo.World) func(query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(world.Dir, "webui.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return func(query string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), query, args...)
		require.NoError(t, err)
	}
}

func countOrphans(world *demo.World) (n int) {
	for _, kind := range world.Kinds {
		if kind.IsOrphan() {
			n += kind.Files
		}
	}
	return n
}
