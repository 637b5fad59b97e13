//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

const (
	latencyFiles = 1000
	// latencyPart of them go between two rests, in which the work is paused.
	latencyPart = 100
	restRounds  = 10
	// longestRequest is the most that any request of the application may take meanwhile.
	longestRequest = 300 * time.Millisecond
)

// Of requests to an application on SQLite and embedded Chroma none takes long while files
// go. It rests in turns with the work, so that both are seen on the same machine. It is for
// a machine that does nothing else.
func TestLatency(t *testing.T) {
	b := startBeside(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma, Env: spareFullCollections(t)})
	b.installation = b.with("PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0")
	knowledge, err := b.app.CreateKnowledge(t.Context(), "At work")
	require.NoError(t, err)
	b.add(t, knowledge, 0)
	require.NoError(t, b.app.Halt())
	b.seedMany(t, knowledge, latencyFiles)
	require.NoError(t, b.app.Restart(t.Context()))
	run := b.serve(t)
	b.must(t, "pause")
	held := b.sweep(t, exitHeld) // links to a knowledge base look lost
	b.sweep(t, exitDone, "--confirm", held.ID)

	webui := b.webui(t)
	left := func() int {
		return one[int](t, webui, `SELECT count(*) FROM file WHERE user_id = ?`, testenv.UserID) + b.untried(t, webui)
	}
	require.GreaterOrEqual(t, left(), latencyFiles, "nothing goes while the work is paused")
	resting, working, number := latencies{}, latencies{}, 1
	round := func(l latencies) {
		b.round(t, number, l)
		number++
	}
	for now := left(); now > 0; {
		for range restRounds {
			round(resting)
		}
		b.must(t, "resume")
		for until := max(now-latencyPart, 0); now > until; now = left() {
			round(working)
		}
		b.must(t, "pause")
	}
	b.must(t, "resume")
	for name := range resting {
		t.Logf("%s, resting and while files go: median %s and %s, longest %s and %s, of %d and %d", name, resting.median(name), working.median(name),
			slices.Max(resting[name]), slices.Max(working[name]), len(resting[name]), len(working[name]))
	}
	require.Zero(t, run.stop(t))
	require.NotContains(t, run.errs.String(), `"level":"error"`)
	for name, took := range working {
		require.Less(t, slices.Max(took), longestRequest, name)
	}
}

// spareFullCollections is an environment in which Python's collector looks at no more than what
// is young: once it has looked at all that the application imports, for which it halts every
// request for 0.3 to 0.8 s, whoever else is there.
func spareFullCollections(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sitecustomize.py"), []byte("import gc\ngc.set_threshold(700, 10, 1_000_000)\n"), 0o600))
	return map[string]string{"PYTHONPATH": dir}
}
