//go:build e2e

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/repo/repotest"
	"pruned/repo/repotest/openwebui"
)

// TestE2EPostgreSQL runs the main job on the database of a running Open WebUI
// that was filled through its own HTTP API: every file that it ever had is
// claimed, also those whose rows are gone.
func TestE2EPostgreSQL(t *testing.T) {
	t.Parallel()
	d := repotest.New(t, repotest.Empty())
	data := t.TempDir()
	app, err := openwebui.Start(t.Context(), openwebui.Options{DatabaseURL: d.URL, DataDir: data, VectorDB: openwebui.PGVector})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Stop()) })
	scenario, err := openwebui.Prepare(t.Context(), app)
	require.NoError(t, err)
	i := &installation{Database: d, dir: data, env: []string{
		"DATABASE_URL=" + d.URL, "VECTOR_DB=pgvector", "DATA_DIR=" + data, "PRUNED_NATS_LISTEN=127.0.0.1:0",
		"PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_LOG_FORMAT=json",
	}}
	used := openwebui.IDs(scenario.World.Used)
	early := i.claimAll(t, used)
	require.Equal(t, len(used), early.Kept)

	require.NoError(t, scenario.Forget(t.Context()))
	i.holdings(t, "before")
	world := scenario.World
	summary := i.claimAll(t, openwebui.IDs(slices.Concat(world.Used, world.Unused, world.Gone)))
	i.holdings(t, "after")
	require.Equal(t, len(world.Unused), summary.Deleted)
	require.Equal(t, len(world.Used), summary.Kept)
	require.Equal(t, len(world.Gone), summary.Gone)

	require.NoError(t, openwebui.VerifyPruned(t.Context(), app, world))
	require.NoError(t, openwebui.Verify(t.Context(), app, world), "the application still answers on everything else")
	require.Zero(t, repotest.Value[int](t, d, `SELECT count(*) FROM document_chunk WHERE vmetadata ->> 'file_id' = ANY ($1)`,
		openwebui.IDs(slices.Concat(world.Unused, world.Gone))))
}

func (i *installation) claimAll(t *testing.T, ids []string) (summary consumer.Summary) {
	t.Helper()
	status, _, _ := i.pruned(t, strings.Join(ids, "\n"), "publish")
	require.Zero(t, status)
	status, out, _ := i.pruned(t, "", "run", "--drain", "--output", "json")
	require.Zero(t, status)
	require.NoError(t, json.Unmarshal([]byte(out), &summary))
	return summary
}

func (i *installation) holdings(t *testing.T, when string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(i.dir, "uploads"))
	require.NoError(t, err)
	t.Logf("%s: %d rows of table file, %d chunks, %d files of bytes", when, repotest.Value[int](t, i.Database, `SELECT count(*) FROM file`),
		repotest.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk`), len(entries))
}
