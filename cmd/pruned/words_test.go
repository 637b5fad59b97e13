package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Of a file that was deleted just now the ledger is asked.
func TestWordsOfAFileThatWasDeleted(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	testenv.NewFile(t, i.Pool)
	file := i.seed(t, 1, 1).Orphans[0]
	i.publish(t, file)
	i.drain(t)
	e := ask[struct {
		Verdict, Why string
		Ledger       []struct{ Outcome, Reason string }
	}](t, i, "explain", file)
	require.Equal(t, "gone", e.Verdict)
	require.Contains(t, e.Why, "it was deleted ")
	require.Contains(t, e.Why, "published by hand")
	require.Len(t, e.Ledger, 1)
	require.Contains(t, i.must(t, "explain", file), "it was deleted ")
	i.must(t, "ledger", file)
	status, out, errs := i.pruned(t, "", "ledger", "nonsense", "-o", "json")
	require.Equal(t, exitFailed, status)
	require.Equal(t, "[]\n", out)
	require.Contains(t, errs, "no line about file")
}

// A command that fails before it has a result prints its error as the one object.
func TestWordsOfAnEarlyFailureInJSON(t *testing.T) {
	t.Parallel()
	away := bare("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d", "VECTOR_DB=pgvector", "DATA_DIR="+t.TempDir())
	wrong := bare("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d", "PRUNED_BATCH=0")
	for _, c := range []struct {
		i    *installation
		args []string
		want string
	}{
		{away, []string{"run", "--drain"}, "connect to PostgreSQL"},
		{away, []string{"sweep"}, "connect to PostgreSQL"},
		{away, []string{"explain", "x"}, "connect to PostgreSQL"},
		{away, []string{"ledger"}, "connect to PostgreSQL"},
		{away, []string{"dead", "list"}, "connect to PostgreSQL"},
		{away, []string{"publish", "x"}, "connect to PostgreSQL"},
		{away, []string{"replay"}, "wanted one of --since"},
		{wrong, []string{"run"}, "PRUNED_BATCH"},
		{wrong, []string{"rnu"}, "rnu"},
	} {
		for _, flag := range [][]string{{"-o", "json"}, {"--output=json"}} {
			status, out, errs := c.i.pruned(t, "", slices.Concat(c.args, flag)...)
			require.NotZero(t, status, c.args)
			require.Equal(t, 1, strings.Count(out, "\n"), c.args)
			var object struct{ Error string }
			require.NoError(t, json.Unmarshal([]byte(out), &object), out)
			require.Contains(t, object.Error, c.want)
			require.NotContains(t, out+errs, "p4ssw0rd")
		}
	}
}

// Four events about one file delete one file.
func TestWordsOfADrainCountFiles(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 2, 1)
	i.publish(t, slices.Concat(slices.Repeat(seeded.Orphans, 4), slices.Repeat(seeded.InUse, 3))...)
	summary := i.drain(t)
	require.Equal(t, 7, summary.Events)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, 1, summary.Kept)
	require.Equal(t, 5, summary.Repeated)
	require.Zero(t, summary.Gone)
}

// What is kept whatever nothing mentions is told by whoever looks at everything.
func TestWordsOfIDsThatAreAlwaysKept(t *testing.T) {
	t.Parallel()
	server := install(t, testenv.Vectors(small))
	folder, world := scratch(t)
	const insert = `INSERT INTO file (id, user_id, filename, path, data, meta, created_at, updated_at) VALUES ($1, 'u', 'a', '', '{}', '{}', 1, 1)`
	exec := openWorld(t, world)
	for _, id := range []string{"with a space", "12345", "true", "fine-literal-id"} {
		server.Exec(t, insert, id)
		exec(insert, id)
	}
	for name, i := range map[string]*installation{"postgres": server, "sqlite": folder} {
		status, out, _ := i.pruned(t, "", "sweep", "--dry-run", "-o", "json")
		require.Contains(t, []int{exitDone, exitHeld}, status, name)
		var report struct {
			AlwaysKept struct {
				Files    int
				Examples []string
			} `json:"always_kept"`
		}
		require.NoError(t, json.Unmarshal([]byte(out), &report))
		require.Equal(t, 3, report.AlwaysKept.Files, name)
		require.Equal(t, []string{"12345", "true", "with a space"}, report.AlwaysKept.Examples, name)
		_, out, _ = i.pruned(t, "", "sweep", "--dry-run")
		require.Contains(t, out, "3 files are always kept", name)
		require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "ids").Detail, "3 files are always kept", name)
	}
}
