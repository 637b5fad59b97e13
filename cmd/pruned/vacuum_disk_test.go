//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/cmd/pruned/demo"
)

// A file is vacuumed where less is free than twice its size, since only what is not free
// inside is copied; one that is full of rows is refused before anything is written.
func TestVacuumOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	world, err := demo.Make(t.Context(), disk, 10)
	require.NoError(t, err)
	i := bare("DATA_DIR="+world.Dir, "VECTOR_DB=none", "PRUNED_LOG_FORMAT=json")
	path := filepath.Join(world.Dir, "webui.db")
	inflate(t, path, 20) // a log as large lies beside it meanwhile
	size := fileSize(t, path)
	filler := filepath.Join(disk, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, 25<<20), 0o600))
	free, err := statDisk(disk)
	require.NoError(t, err)
	require.Less(t, free.free, uint64(2*size), "what SQLite says that it may take")
	i.must(t, "vacuum")
	require.LessOrEqual(t, fileSize(t, path), size-20<<20)

	inFile(t, path, `CREATE TABLE filled AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 16) SELECT zeroblob(1 << 20) v FROM n`,
		`PRAGMA wal_checkpoint(TRUNCATE)`)
	size = fileSize(t, path)
	status, _, errs := i.pruned(t, "", "vacuum")
	require.Equal(t, exitFailed, status)
	require.Regexp(t, `to vacuum \S+webui.db takes 3\d MiB free in \S+ while it lasts, and \d+ MiB are: make room, or let SQLITE_TMPDIR`, errs)
	require.Equal(t, size, fileSize(t, path))
	require.NoError(t, os.Remove(filler))
	i.must(t, "vacuum")
}
