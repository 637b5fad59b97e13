package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/cmd/pruned/demo"
	"pruned/repo/testenv"
)

// inFile runs statements on a file of SQLite, and closes it again.
func inFile(t *testing.T, path string, queries ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	for _, query := range queries {
		_, err = db.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

// inflate leaves some megabytes free inside a file.
func inflate(t *testing.T, path string, megabytes int) {
	t.Helper()
	inFile(t, path, `CREATE TABLE inflated (v BLOB)`,
		fmt.Sprintf(`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO inflated SELECT zeroblob(1 << 20) FROM n`, megabytes),
		`DROP TABLE inflated`, `PRAGMA wal_checkpoint(TRUNCATE)`)
}

// dump is every row of every table of a file.
func dump(t *testing.T, path string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	column := func(query string) (list []string) {
		rows, err := db.QueryContext(t.Context(), query)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var value string
			require.NoError(t, rows.Scan(&value))
			list = append(list, value)
		}
		require.NoError(t, rows.Err())
		return list
	}
	all := map[string][]string{}
	for _, table := range column(`SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name`) {
		columns := column(`SELECT 'quote("' || name || '")' FROM pragma_table_info('` + table + `')`)
		all[table] = column(`SELECT ` + strings.Join(columns, " || ',' || ") + ` FROM "` + table + `" ORDER BY 1`)
	}
	require.Equal(t, []string{"ok"}, column(`PRAGMA integrity_check`))
	return all
}

// filesOf are the files of SQLite of a scratch installation.
func filesOf(world *demo.World) []string {
	return []string{filepath.Join(world.Dir, "webui.db"), filepath.Join(world.Dir, "vector_db", "chroma.sqlite3")}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}

// openElsewhere has a file open in another process, as the application has, until the test ends.
func openElsewhere(t *testing.T, path string) {
	t.Helper()
	process := exec.CommandContext(context.WithoutCancel(t.Context()), "python3", "-c", `
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
print(c.execute("SELECT count(*) FROM sqlite_master").fetchone(), flush=True)
sys.stdin.read()`, path)
	in, err := process.StdinPipe()
	require.NoError(t, err)
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, process.Wait())
	})
}

// Both files shrink, and every row is as it was.
func TestVacuumOfAFolder(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	before, sizes := map[string]map[string][]string{}, map[string]int64{}
	for _, path := range filesOf(world) {
		inflate(t, path, 10)
		before[path], sizes[path] = dump(t, path), fileSize(t, path)
	}
	dry := ask[vacuumReport](t, i, "vacuum", "--dry-run")
	require.True(t, dry.DryRun)
	require.Len(t, dry.Files, 2)
	require.Contains(t, i.must(t, "vacuum", "--dry-run"), "would give back 10 MiB or more in about a second")
	for n, path := range filesOf(world) {
		require.Equal(t, path, dry.Files[n].File)
		require.Nil(t, dry.Files[n].After)
		require.GreaterOrEqual(t, dry.Files[n].Inside, int64(10<<20))
		require.Less(t, dry.Files[n].Needs, int64(10<<20), "what is free inside is not copied")
		require.Positive(t, dry.Files[n].ExpectedS)
		require.Equal(t, sizes[path], fileSize(t, path))
	}
	done := ask[vacuumReport](t, i, "vacuum")
	for n, path := range filesOf(world) {
		require.Equal(t, sizes[path], done.Files[n].Before)
		require.Equal(t, fileSize(t, path), *done.Files[n].After)
		require.LessOrEqual(t, *done.Files[n].After, sizes[path]-10<<20)
		require.Equal(t, before[path], dump(t, path))
	}
	require.Empty(t, done.Tables)
	require.Contains(t, i.must(t, "vacuum"), "webui.db")
	require.Equal(t, exitDone, i.sweepStatus(t), "what was vacuumed is swept as before")
}

// sweepStatus is that of a dry sweep that may hold.
func (i *installation) sweepStatus(t *testing.T) int {
	t.Helper()
	status, _, _ := i.with("PRUNED_MAX_FRACTION=1").pruned(t, "", "sweep", "--dry-run")
	return status
}

// Beside a process that has one of the files open nothing is vacuumed, unless that is wanted.
func TestVacuumBesideTheApplication(t *testing.T) {
	t.Parallel()
	for n, name := range []string{"webui.db", "chroma.sqlite3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, world := scratch(t)
			path := filesOf(world)[n]
			inflate(t, path, 4)
			before, size := dump(t, path), fileSize(t, path)
			openElsewhere(t, path)
			status, out, errs := i.pruned(t, "", "vacuum", "-o", "json")
			require.Equal(t, exitFailed, status)
			require.Contains(t, errs, path+" is open in python3 (pid ")
			require.Contains(t, errs, "take --live: its writes wait for all of it, about a second as measured on this disk")
			require.Equal(t, 1, strings.Count(out, "\n"))
			require.Contains(t, out, `{"error":`)
			require.Equal(t, size, fileSize(t, path))

			status, out, _ = i.pruned(t, "", "vacuum", "--dry-run", "-o", "json")
			require.Equal(t, exitFailed, status, "as without")
			var dry vacuumReport
			require.NoError(t, json.Unmarshal([]byte(out), &dry))
			require.Contains(t, dry.Files[n].Error, "python3")
			require.Empty(t, dry.Files[1-n].Error)

			status, out, errs = i.pruned(t, "", "vacuum", "--live", "-o", "json")
			require.Equal(t, exitDone, status, errs)
			var done vacuumReport
			require.NoError(t, json.Unmarshal([]byte(out), &done))
			require.Contains(t, errs, "vacuuming beside an application: its writes wait")
			require.Len(t, done.Files[n].OpenIn, 1)
			require.LessOrEqual(t, fileSize(t, path), size-4<<20)
			require.Equal(t, fileSize(t, path), *done.Files[n].After)
			require.Equal(t, before, dump(t, path))
		})
	}
}

// A daemon of pruned's own is a process that has the file open.
func TestVacuumBesideADaemon(t *testing.T) {
	t.Parallel()
	i, _ := scratch(t)
	d := i.start(t)
	status, _, errs := i.pruned(t, "", "vacuum")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "webui.db is open in "+unseenProcess, "it is this process, which is not asked")
	require.Zero(t, d.stop(t))
	i.must(t, "vacuum")
}

// Of tables that a role may not vacuum it is told who may; the rest goes on.
func TestVacuumOfTables(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 50, 0)
	i.must(t, "migrate")
	const rows = `SELECT md5(string_agg(f::text, '|' ORDER BY id)) FROM file f`
	before := testenv.Value[string](t, i.Database, rows)
	i.Exec(t, `ALTER TABLE document_chunk SET (autovacuum_enabled = off)`)
	i.Exec(t, `DELETE FROM document_chunk WHERE vmetadata->>'file_id' = $1`, seeded.InUse[0])
	dry := ask[vacuumReport](t, i, "vacuum", "--dry-run")
	done := ask[vacuumReport](t, i, "vacuum")
	require.Len(t, done.Tables, len(dry.Tables))
	tables := map[string]*tableReport{}
	for n, table := range done.Tables {
		require.Nil(t, dry.Tables[n].After)
		require.NotNil(t, table.After, table.Table)
		require.Positive(t, *table.After, table.Table)
		require.NotNil(t, table.DeadAfter, table.Table)
		require.Zero(t, *table.DeadAfter, table.Table)
		tables[table.Table] = table
	}
	for _, name := range []string{"file", "chat_file", "channel_file", "knowledge_file", "document_chunk"} {
		require.Contains(t, tables, i.Schema+"."+name)
	}
	require.Contains(t, tables, "pruned.tombstone")
	require.Contains(t, done.Note, "not to the disk")
	require.Equal(t, before, testenv.Value[string](t, i.Database, rows))
	require.Equal(t, 1, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pg_stat_all_tables WHERE relid = 'document_chunk'::regclass AND vacuum_count = 1 AND analyze_count > 0`))

	role := "vacuum_of_" + i.Name
	i.Exec(t, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() {
		i.Exec(t, `DROP OWNED BY `+role+` CASCADE`)
		i.Exec(t, `DROP ROLE `+role)
	})
	for statement := range strings.Lines(i.must(t, "doctor", "--grants", role)) {
		i.Exec(t, statement)
	}
	as := i.with("DATABASE_URL=" + strings.Replace(i.URL, "postgres@", role+"@", 1))
	status, out, errs := as.pruned(t, "", "vacuum", "-o", "json")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "not everything was vacuumed")
	require.Equal(t, 1, strings.Count(out, "\n"))
	var refused vacuumReport
	require.NoError(t, json.Unmarshal([]byte(out), &refused))
	for _, table := range refused.Tables {
		if strings.HasPrefix(table.Table, "pruned.") {
			require.Empty(t, table.Error, table.Table)
			require.NotNil(t, table.After, table.Table)
			continue
		}
		require.Contains(t, table.Error, role)
		require.Contains(t, table.Remedy, "as postgres: VACUUM (ANALYZE) "+table.Table)
		require.Nil(t, table.After)
	}
	_, out, _ = as.pruned(t, "", "vacuum")
	require.Contains(t, out, "-> as postgres: VACUUM (ANALYZE)")
}

// A limit of the role's ends what is longer, and is told with what to do.
func TestVacuumThatTakesTooLong(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.seed(t, 500, 0)
	role := "hurried_" + i.Name
	i.Exec(t, `CREATE ROLE `+role+` LOGIN SUPERUSER`)
	t.Cleanup(func() { i.Exec(t, `DROP ROLE `+role) })
	for _, setting := range []string{`statement_timeout = '1s'`, `vacuum_cost_delay = 100`, `vacuum_cost_limit = 1`} {
		i.Exec(t, `ALTER ROLE `+role+` SET `+setting)
	}
	i.Exec(t, `UPDATE file SET updated_at = updated_at + 1`)
	as := i.with("DATABASE_URL="+strings.Replace(i.URL, "postgres@", role+"@", 1), "VECTOR_DB=none")
	status, out, _ := as.pruned(t, "", "vacuum", "-o", "json")
	require.Equal(t, exitFailed, status)
	var report vacuumReport
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.NotEmpty(t, report.Tables)
	require.Equal(t, i.Schema+".file", report.Tables[0].Table)
	require.Contains(t, report.Tables[0].Error, "57014")
	require.Contains(t, report.Tables[0].Remedy, "ALTER ROLE "+role+" SET statement_timeout = 0")
}
