package main

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

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
