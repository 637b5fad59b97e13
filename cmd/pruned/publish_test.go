package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/repo/testenv"
)

// What is refused is told by its line, and does not stop the rest.
func TestPublishRefusesByLine(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	files := []string{testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool)}
	longest := strings.Repeat("x", 1024)
	lines := strings.Join([]string{files[0], "", files[1] + "\r", longest, longest + "y", "nul\x00", "\xff\xfe", files[2]}, "\n")
	status, out, errs := i.pruned(t, lines, "publish", "-o", "json")
	require.Equal(t, exitUsage, status)
	require.JSONEq(t, `{"published": 4}`, out)
	for _, want := range []string{"line 2: subject", "line 5: subject", "at most 1024 bytes, not 1025", "line 6: ", "line 7: "} {
		require.Contains(t, errs, want)
	}
	for _, fine := range []string{"line 1:", "line 3:", "line 4:", "line 8:"} {
		require.NotContains(t, errs, fine)
	}
	summary := i.drain(t)
	require.Equal(t, 3, summary.Deleted)
	require.Equal(t, 1, summary.Gone)
	require.Equal(t, nothing, i.left(t, files...))
}

func TestPublishArguments(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.NewFile(t, i.Pool)
	status, out, errs := i.pruned(t, "not read", "publish", "--reason", "because", file, "")
	require.Equal(t, exitUsage, status)
	require.Equal(t, "published 1\n", out)
	require.Contains(t, errs, "argument 2: subject")
	require.Equal(t, 1, i.drain(t).Deleted)
	require.Equal(t, "because", ask[[]map[string]any](t, i, "ledger", file)[0]["reason"])

	require.Equal(t, "published 0\n", i.must(t, "publish"), "nothing on stdin")
}

// One who waits is told each outcome, by a daemon in another process.
func TestPublishWaits(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_SWEEP_EVERY=0") // which would tell of the doomed file too
	doomed, used, gone := testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool), testenv.NewID()
	testenv.InsertNote(t, i.Pool, used)
	d := i.start(t)
	out := i.must(t, "publish", "--wait", "-o", "json", doomed, used, gone)
	got := map[string]event.Outcome{}
	for _, s := range settlements(t, out) {
		got[s.FileID] = s.Outcome
	}
	require.Equal(t, map[string]event.Outcome{doomed: event.Deleted, used: event.Kept, gone: event.Gone}, got)
	require.Contains(t, i.must(t, "publish", "--wait", used), used+"\tkept\tmentioned by note")

	status, out, _ := i.pruned(t, "", "publish", "--wait", "-o", "json", "", used)
	require.Equal(t, exitUsage, status)
	require.Len(t, settlements(t, out), 1, "one list, whatever the exit status")
	require.Empty(t, settlements(t, i.must(t, "publish", "--wait", "-o", "json")))
	require.Zero(t, d.stop(t))
}

// settlements are what one line says.
func settlements(t *testing.T, out string) (list []consumer.Settlement) {
	t.Helper()
	require.Equal(t, 1, strings.Count(out, "\n"), "one line")
	require.NoError(t, json.Unmarshal([]byte(out), &list), out)
	require.NotNil(t, list)
	return list
}
