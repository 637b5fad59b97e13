package main

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// contents are the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	}))
	return files
}

// Before the first run doctor makes nothing: neither a queue nor tables.
func TestDoctorMakesNothing(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	before := contents(t, world.Dir)
	d := ask[diagnosis](t, i, "doctor")
	require.True(t, d.OK)
	require.Equal(t, before, contents(t, world.Dir))
	require.NoDirExists(t, filepath.Join(world.Dir, "pruned"))
	for _, check := range []string{"queue", "tables of pruned"} {
		require.Contains(t, d.of(t, check).Detail, "not there yet", check)
		require.Contains(t, d.of(t, check).Remedy, "pruned run makes", check)
	}
	i.drain(t)
	d = ask[diagnosis](t, i, "doctor")
	require.Equal(t, "answers", d.of(t, "queue").Detail)
	require.Equal(t, "none", d.of(t, "candidates").Detail)

	nats := startNATS(t)
	j := install(t, testenv.Vectors(small)).with(natsURL(nats, "s3cret"))
	d = ask[diagnosis](t, j, "doctor")
	require.True(t, d.OK)
	require.Contains(t, d.of(t, "stream").Detail, "not there yet")
	streams := func() int {
		info, err := nats.Jsz(nil)
		require.NoError(t, err)
		return info.Streams
	}
	require.Zero(t, streams())
	j.drain(t)
	require.Positive(t, streams())
	require.NotContains(t, ask[diagnosis](t, j, "doctor").of(t, "stream").Detail, "not there yet")
	other := install(t, testenv.Vectors(small)).with(natsURL(nats, "s3cret"))
	status, out, _ := other.pruned(t, "", "doctor")
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, "belongs to another installation")
}

// On SQLite doctor looks at the same things as on PostgreSQL.
func TestDoctorOfAFolder(t *testing.T) {
	t.Parallel()
	const token = "a-very-secret-token"
	i, world := scratch(t, "PRUNED_WEBHOOK_TOKEN="+token, "PRUNED_MAX_FRACTION=0", "PRUNED_BYTES_DELAY=1h")
	db, err := sql.Open("sqlite", filepath.Join(world.Dir, "webui.db"))
	require.NoError(t, err)
	defer db.Close()
	exec := func(query string) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	exec(`CREATE TABLE IF NOT EXISTS config (key TEXT PRIMARY KEY, value JSON)`)
	held := i.sweep(t, exitHeld)
	i.sweep(t, exitDone, "--confirm", held.ID)
	i.drain(t)
	d := ask[diagnosis](t, i, "doctor")
	require.True(t, d.OK)
	for check, want := range map[string]string{
		"versions":              "SQLite",
		"revision":              "Open WebUI's schema is at",
		"clocks":                "this machine's",
		"reference index":       "memory",
		"candidates":            "rows",
		"tombstones of bytes":   "wait, the first is due in",
		"tombstones of vectors": "wait",
		"webhook":               "not registered",
		"dead letters":          "0",
		"links":                 "links",
		"journal":               "wal",
	} {
		require.Contains(t, d.of(t, check).Detail, want, check)
	}
	exec(`INSERT INTO config (key, value) VALUES ('events.webhooks', '[{"url": "http://h/webhook/` + token + `", "enabled": true}]')`)
	out := i.must(t, "doctor")
	require.Contains(t, out, "registered in Open WebUI, at h")
	require.NotContains(t, out, token)
}
