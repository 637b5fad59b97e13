package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// What is said of the disk are the figures of the files and tables.
func TestDoctorTellsOfTheDisk(t *testing.T) {
	t.Parallel()
	folder, world := scratch(t)
	inflate(t, filesOf(world)[1], 5)
	disk := ask[diagnosis](t, folder, "doctor").of(t, "disk")
	require.True(t, disk.OK)
	require.Contains(t, disk.Detail, "webui.db ")
	require.Regexp(t, `chroma.sqlite3 5\.\d MiB, 5\.\d MiB of it free inside`, disk.Detail)
	require.Regexp(t, `iB of [^;]*iB free for PRUNED_DATA_DIR, uploads, webui.db, vector_db`, disk.Detail)

	i := install(t, testenv.Vectors(small))
	i.seed(t, 10, 0)
	i.Exec(t, `ALTER TABLE document_chunk SET (autovacuum_enabled = off)`)
	i.Exec(t, `SELECT pg_stat_force_next_flush()`)
	disk = ask[diagnosis](t, i, "doctor").of(t, "disk")
	require.Regexp(t, `table public.file \d+ KiB, 0 dead rows, (never )?vacuumed.*table public.chat .*table public.document_chunk \d+ KiB, 0 dead rows`, disk.Detail)
	require.NotContains(t, disk.Remedy, "autovacuum")
	i.Exec(t, `INSERT INTO document_chunk (id, collection_name) SELECT 'd' || n, 'c' FROM generate_series(1, 200) n`)
	i.Exec(t, `DELETE FROM document_chunk WHERE collection_name = 'c'`)
	i.Exec(t, `SELECT pg_stat_force_next_flush()`)
	disk = ask[diagnosis](t, i, "doctor").of(t, "disk")
	require.True(t, disk.OK)
	require.True(t, disk.Warn)
	require.Contains(t, disk.Detail, "200 dead rows")
	require.Contains(t, disk.Remedy, "pruned vacuum, as autovacuum does not get round to public.document_chunk")
	i.must(t, "vacuum")
	disk = ask[diagnosis](t, i, "doctor").of(t, "disk")
	require.Regexp(t, `document_chunk \d+ KiB, 0 dead rows, vacuumed \d+s ago`, disk.Detail)
	require.NotContains(t, disk.Remedy, "autovacuum")
}

// What to do first depends on what is free, and what for.
func TestDoctorsRemedyOfADisk(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for name, c := range map[string]struct {
		free, needs, inside uint64
		want                string
	}{
		"enough":              {50 * gib, 20 * gib, 90 * gib, ""},
		"nothing known":       {5 * gib, 0, 0, ""},
		"full":                {4 * gib, 0, 0, "make room on the disk of a, b: `pruned sweep --dry-run`"},
		"full, and shrinks":   {4 * gib, gib, 30 * gib, "`pruned vacuum` gives back 30 GiB to the disk of a, b, as long as the 1.0 GiB are free"},
		"full, and no room":   {gib, gib, 30 * gib, "make room on the disk of a, b first: `pruned vacuum` gives back 30 GiB, and needs 1.0 GiB free"},
		"less than twice":     {15 * gib, 10 * gib, 30 * gib, "`pruned vacuum` gives back 30 GiB"},
		"less, and no gain":   {15 * gib, 10 * gib, 1000, "make room"},
		"nothing is left":     {0, gib, gib, "make room on the disk of a, b first"},
		"exactly twice is ok": {20 * gib, 10 * gib, gib, ""},
	} {
		with := diskUse{disk: disk{free: c.free, total: 100 * gib}, names: []string{"uploads"}, needs: c.needs, inside: c.inside, trash: 2 * gib}
		require.Equal(t, strings.Contains(c.want, "make room"), strings.Contains(with.remedy(), "`pruned trash empty` lets the bytes of deleted files go, 2.0 GiB"), name)
		use := diskUse{disk: disk{free: c.free, total: 100 * gib}, names: []string{"a", "b"}, needs: c.needs, inside: c.inside}
		got := use.remedy()
		if c.want == "" {
			require.Empty(t, got, name)
		} else {
			require.Contains(t, got, c.want, name)
		}
	}
}
