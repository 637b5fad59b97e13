package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
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
		return repotest.Value[bool](t, i.Database, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory')`)
	}
}

// SIGTERM finishes the batch in hand, settles it, and takes no other.
func TestStopFinishesTheBatchInHand(t *testing.T) {
	t.Parallel()
	i := install(t).with("PRUNED_BATCH=10", "PRUNED_WORKERS=1")
	files := i.seed(t, 40, 40).Orphans
	i.publish(t, files...)
	release, waits := i.holdDeletes(t)
	d := i.start(t)
	require.Eventually(t, waits, patience, pollEvery)
	d.cancel()
	release()
	require.Zero(t, d.wait(t))
	require.Empty(t, d.out.String())
	require.Equal(t, 10, repotest.Value[int](t, i.Database, `SELECT count(*) FROM pruned.ledger`))

	summary := i.drain(t)
	require.Equal(t, 30, summary.Deleted, "what was done had been settled: %+v", summary)
	require.Equal(t, 30, summary.Events)
	require.Equal(t, nothing, i.left(t, files...))
}

// Another process does not take a queue that is owned, and says whose it is.
func TestSecondOwnerIsRefused(t *testing.T) {
	t.Parallel()
	i := install(t, repotest.Vectors(small))
	d := i.start(t)
	status, out, errs := i.pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, status)
	require.Empty(t, out)
	require.Contains(t, errs, "another pruned process owns this queue")
	require.Contains(t, errs, i.dir)
	require.Zero(t, d.stop(t))
	require.Zero(t, i.drain(t).Events)
}
