package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/repo/testenv"
)

// holdDeletes makes every DELETE of a file wait until the returned function is
// called, and tells by the other whether one waits.
func (i *installation) holdDeletes(t *testing.T) (release func(), waits func() bool) {
	t.Helper()
	i.Exec(t, `
		CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$;
		CREATE TRIGGER hold BEFORE DELETE ON file FOR EACH STATEMENT EXECUTE FUNCTION hold()`)
	holder := i.Conn(t)
	_, err := holder.Exec(t.Context(), `SELECT pg_advisory_lock(7)`)
	require.NoError(t, err)
	release = func() {
		_, err := holder.Exec(t.Context(), `SELECT pg_advisory_unlock(7)`)
		require.NoError(t, err)
	}
	return release, func() bool {
		return testenv.Value[bool](t, i.Database, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory')`)
	}
}

// stopWithABatchInHand starts the program on 40 orphans, ten a batch at most, and tells it to
// stop in the middle of the first batch.
func stopWithABatchInHand(t *testing.T, flags ...string) (i *installation, files []string, d *daemon) {
	t.Helper()
	i = install(t).with("PRUNED_BATCH=10", "PRUNED_WORKERS=1")
	files = i.seed(t, 40, 40).Orphans
	i.publish(t, files...)
	release, waits := i.holdDeletes(t)
	d = i.start(t, flags...)
	require.Eventually(t, waits, signalTimeout, pollEvery)
	d.cancel()
	release()
	return i, files, d
}

// SIGTERM finishes the batch in hand, settles it, and takes no other.
func TestStopFinishesTheBatchInHand(t *testing.T) {
	t.Parallel()
	i, files, d := stopWithABatchInHand(t)
	require.Zero(t, d.wait(t))
	require.Empty(t, d.out.String())
	done := testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.ledger`)
	require.Positive(t, done)
	require.LessOrEqual(t, done, 10)

	summary := i.drain(t)
	require.Equal(t, 40-done, summary.Deleted, "what was done had been settled: %+v", summary)
	require.Equal(t, 40-done, summary.Events)
	require.Equal(t, nothing, i.left(t, files...))
}

// A drain that is told to stop says what it did until then.
func TestStoppedDrainPrintsItsSummary(t *testing.T) {
	t.Parallel()
	i, files, d := stopWithABatchInHand(t, "--drain", "-o", "json")
	require.Equal(t, exitDone, d.wait(t))
	var summary consumer.Summary
	require.NoError(t, json.Unmarshal([]byte(d.out.String()), &summary), d.out.String())
	done := summary.Deleted
	require.Positive(t, done)
	require.LessOrEqual(t, done, 10)
	require.Equal(t, done, summary.Events)

	summary = i.drain(t)
	require.Equal(t, 40-done, summary.Events, "what was done had been settled")
	require.Equal(t, nothing, i.left(t, files...))
}

// Nor is it a failure to be told to stop before anything was opened.
func TestStoppedAtTheStart(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"run"}, {"run", "--drain"}} {
		var out, errs output
		require.Equal(t, exitDone, run(ended, args, i.env, strings.NewReader(""), &out, &errs), errs.String())
	}
}

// Nothing interrupts a read from a terminal: who publishes ends all the same, and a
// daemon that starts meanwhile waits for the queue.
func TestPublishFromATerminalEnds(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	terminal, keys := io.Pipe()
	t.Cleanup(func() { _ = keys.Close() })
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var out, errs output
	go func() { ended <- run(ctx, []string{"publish"}, i.env, terminal, &out, &errs) }()
	_, err := io.WriteString(keys, testenv.NewID()+"\n") // it is read once the queue is open
	require.NoError(t, err)
	drained := make(chan int, 1)
	go func() {
		status, _, _ := i.pruned(t, "", "run", "--drain")
		drained <- status
	}()
	interrupt()
	require.Equal(t, exitFailed, <-ended)
	require.Contains(t, errs.String(), "read the ids: ")
	require.Regexp(t, `^published [01]\n$`, out.String())
	require.Equal(t, exitDone, <-drained)
}

// Another process does not take a queue that is owned, and says whose it is.
func TestSecondOwnerIsRefused(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	d := i.start(t)
	status, out, errs := i.pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, status)
	require.Empty(t, out)
	require.Contains(t, errs, "another pruned process owns this queue")
	require.Contains(t, errs, i.dir)
	require.Zero(t, d.stop(t))
	require.Zero(t, i.drain(t).Events)
}
