//go:build e2e

package main

import (
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

const e2eToken = "a-token-of-the-tests"

// beside is a running Open WebUI with a pruned beside it, to which nobody speaks
// but the application itself.
type beside struct {
	*installation
	app *openwebui.App
}

// startBeside starts the application. Nothing but hints and due times makes
// pruned sweep, and what is being done takes less than the ages.
func startBeside(t *testing.T, o openwebui.Options, settings ...string) *beside {
	t.Helper()
	app, err := openwebui.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Stop()) })
	i := bare(append([]string{
		"DATA_DIR=" + o.DataDir, "VECTOR_DB=" + o.VectorDB, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0",
		"PRUNED_WEBHOOK_TOKEN=" + e2eToken, "PRUNED_SWEEP_EVERY=0", "PRUNED_MAX_FRACTION=1", "PRUNED_LOG_FORMAT=json",
		"PRUNED_MIN_AGE=20s", "PRUNED_ORPHAN_AGE=5s", "PRUNED_BYTES_DELAY=1s", "PRUNED_TRASH=0",
	}, settings...)...)
	i.dir = o.DataDir
	return &beside{i, app}
}

// serve starts pruned and tells the application of it.
func (b *beside) serve(t *testing.T) *daemon {
	t.Helper()
	d := b.start(t)
	match := regexp.MustCompile(`"address":"([^"]+)","webhook":true`).FindStringSubmatch(d.errs.String())
	require.NotNil(t, match, d.errs.String())
	_, err := b.app.RegisterWebhook(t.Context(), "http://"+match[1]+"/webhook/"+e2eToken)
	require.NoError(t, err)
	return d
}

// live has the application used, while pruned runs, and returns what must become
// of its files.
func (b *beside) live(t *testing.T) openwebui.World {
	t.Helper()
	world, err := openwebui.Fill(t.Context(), b.app)
	require.NoError(t, err)
	t.Logf("%d files are used, %d are not, %d were deleted by the application", len(world.Used), len(world.Unused), len(world.Gone))
	return world
}

// await waits until what nothing uses is gone, and sees that all else is whole.
func (b *beside) await(t *testing.T, world openwebui.World) {
	t.Helper()
	require.Eventually(t, func() bool { return b.stored() <= len(world.Used) }, signalTimeout, 20*pollEvery)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.NoError(c, openwebui.VerifyPruned(t.Context(), b.app, world))
	}, signalTimeout, 200*pollEvery)
	require.Equal(t, len(world.Used), b.stored())
	require.NoError(t, openwebui.Verify(t.Context(), b.app, world), "the application still answers on everything else")
}

// stored counts files of bytes.
func (b *beside) stored() int {
	entries, _ := filepath.Glob(filepath.Join(b.app.UploadDir(), "[^.]*")) // the next look tells
	return len(entries)
}

// told reads the ledger: it names exactly the files of which a row was left, the
// collections and the points, each found by a sweep.
func (b *beside) told(t *testing.T, world openwebui.World, l lost) {
	t.Helper()
	var deleted []string
	for _, line := range ask[[]map[string]any](t, b.installation, "ledger") {
		if line["outcome"] == "deleted" {
			require.Equal(t, "sweep", line["source"])
			deleted = append(deleted, line["file_id"].(string))
		}
	}
	want := append(openwebui.IDs(world.Unused), l.names()...)
	for _, c := range world.UnusedCollections {
		want = append(want, c.Name)
	}
	require.ElementsMatch(t, want, deleted)
}

// TestE2EPostgreSQL: the application is used, and tells pruned by its webhook.
func TestE2EPostgreSQL(t *testing.T) {
	t.Parallel()
	began := time.Now()
	d := testenv.New(t, testenv.Empty())
	b := startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector}, "DATABASE_URL="+d.URL)
	b.Database = d
	run := b.serve(t)
	lost := b.lose(t, b.pgShelf())
	world := b.live(t)
	b.await(t, world)
	b.awaitCollections(t, world, b.pgShelf())
	b.awaitPoints(t, lost, b.pgShelf())
	b.told(t, world, lost)

	used := openwebui.IDs(world.Used)
	require.Equal(t, used, testenv.Column[string](t, d, `SELECT id FROM file ORDER BY id COLLATE "C"`))
	require.Zero(t, testenv.Value[int](t, d, `SELECT count(*) FROM document_chunk WHERE vmetadata ->> 'file_id' <> ALL ($1)`, used))
	require.Zero(t, run.stop(t))
	require.NotContains(t, run.errs.String(), `"level":"error"`)
	t.Logf("in %s", time.Since(began).Round(time.Second))
}
