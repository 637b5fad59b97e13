package main

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Rows that nothing in Open WebUI can reach are told and kept, unless a setting says that
// they go.
func TestSweepTellsOfDanglingRows(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MIN_AGE=0", "PRUNED_MAX_FRACTION=1")
	db, err := sql.Open("sqlite", filepath.Join(world.Dir, "webui.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, statement := range []string{
		`INSERT INTO channel (id, user_id, name, created_at, updated_at) VALUES ('c', 'u', 'n', 1, 1)`,
		`INSERT INTO message (id, user_id, channel_id, content, created_at, updated_at) VALUES ('m', 'u', 'c', 'kept', 1, 1), ('n', 'u', 'gone', 'secret', 1, 1)`,
	} {
		_, err = db.Exec(statement)
		require.NoError(t, err)
	}
	before := i.sweep(t, exitDone, "--dry-run").Dangling
	require.True(t, before.Kept)
	require.Contains(t, before.Tables, repo.DanglingCount{Table: "message", Found: 1, Total: 5})
	require.Regexp(t, `dangling +\d+ +rows that nothing in Open WebUI can reach: 1 of 5 of message.*; they are kept \(PRUNED_ROWS=dangling removes them\)`, i.must(t, "sweep"))
	require.Regexp(t, `can reach 1 of 5 of message.*: PRUNED_ROWS=keep keeps them`, ask[diagnosis](t, i, "doctor").of(t, "dangling rows").Detail)

	i = i.with("PRUNED_ROWS=dangling")
	require.Regexp(t, `can reach 1 of 5 of message.*: sweeps remove them`, ask[diagnosis](t, i, "doctor").of(t, "dangling rows").Detail)
	require.Zero(t, i.sweep(t, exitDone, "--dry-run").Dangling.Removed)
	require.Regexp(t, `1 of 5 of message.*; removed \d+\n`, i.must(t, "sweep"))
	require.Equal(t, "there are none", ask[diagnosis](t, i, "doctor").of(t, "dangling rows").Detail)
	require.NotContains(t, i.must(t, "sweep"), "dangling")
	var left int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM message`).Scan(&left))
	require.Equal(t, 4, left)
}
