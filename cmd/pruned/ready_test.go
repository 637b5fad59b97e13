package main

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

const hookToken = "a-very-secret-token"

var listening = regexp.MustCompile(`"address":"([^"]+)"`)

// url is where a daemon listens.
func (d *daemon) url(t *testing.T) string {
	t.Helper()
	var match []string
	require.Eventually(t, func() bool {
		match = listening.FindStringSubmatch(d.errs.String())
		return match != nil || len(d.ended) > 0
	}, signalTimeout, pollEvery)
	require.NotNil(t, match, d.errs.String())
	return "http://" + match[1]
}

// becomes waits until the daemon is ready, or is not and says so.
func (d *daemon) becomes(t *testing.T, status int, says string) {
	t.Helper()
	url := d.url(t)
	var got int
	var body string
	require.Eventually(t, func() bool {
		got, body = call(t, http.MethodGet, url+"/readyz")
		return got == status && strings.Contains(body, says) || len(d.ended) > 0
	}, 2*signalTimeout, 20*pollEvery, "%s", says)
	require.Empty(t, d.ended, "run does not end")
	require.Equal(t, status, got, body)
	got, body = call(t, http.MethodGet, url+"/healthz")
	require.Equal(t, http.StatusOK, got, "no restart helps: %s", body)
}

// begin starts "run" and returns at once.
func (i *installation) begin(t *testing.T) *daemon {
	t.Helper()
	return i.startUntil(t, func(*daemon) bool { return true })
}

// Where the upload folder is gone, or replaced by an empty one, that is said, no
// tombstone is closed, and all goes on when it is back.
func TestReadyAsksForTheUploads(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	seeded := i.seed(t, 4, 0)
	d := i.start(t)
	d.becomes(t, http.StatusOK, "")
	away := i.uploads() + ".away"
	require.NoError(t, os.Rename(i.uploads(), away))
	d.becomes(t, http.StatusServiceUnavailable, "uploads")
	require.NoError(t, os.Mkdir(i.uploads(), 0o755))
	d.becomes(t, http.StatusServiceUnavailable, "without a single upload")
	orphan := seeded.InUse[0]
	i.Exec(t, `DELETE FROM file WHERE id = $1`, orphan)
	require.Equal(t, 0, i.left(t, orphan).bytes)
	require.NoError(t, os.Remove(i.uploads()))
	require.NoError(t, os.Rename(away, i.uploads()))
	d.becomes(t, http.StatusOK, "")
	require.Zero(t, d.stop(t))
}

// A webui.db that was replaced is nobody's database: that is said, and the one that
// has the path is opened when it is the installation's again.
func TestReadyAsksForTheDatabase(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	d := i.start(t)
	d.becomes(t, http.StatusOK, "")
	db := filepath.Join(world.Dir, "webui.db")
	require.NoError(t, os.Rename(db, db+".away"))
	d.becomes(t, http.StatusServiceUnavailable, "webui.db")
	require.NoError(t, os.Rename(db+".away", db))
	d.becomes(t, http.StatusOK, "")
	require.Zero(t, d.stop(t))
}

// Sweeps that fail one after the other are said.
func TestReadyAsksForTheSweeps(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_SWEEP_EVERY=1s")
	d := i.start(t)
	d.becomes(t, http.StatusOK, "")
	i.Exec(t, `ALTER TABLE pruned.candidate RENAME TO candidate_away`)
	d.becomes(t, http.StatusServiceUnavailable, "sweeps failed")
	i.Exec(t, `ALTER TABLE pruned.candidate_away RENAME TO candidate`)
	d.becomes(t, http.StatusOK, "")
	require.Zero(t, d.stop(t))
}

// So are tombstones that are long overdue, and a vector store that is away.
func TestReadyAsksForTheTombstones(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1", "PRUNED_BYTES_DELAY=1h")
	file := testenv.NewFile(t, i.Pool)
	i.sweep(t, exitDone)
	require.Equal(t, 1, i.drain(t).Deleted)
	// A trigger keeps them from being closed, as a fault that nobody foresaw.
	i.Exec(t, `
		UPDATE pruned.tombstone SET due_at = due_at - interval '1 day';
		CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '55000'; END $$;
		CREATE TRIGGER never BEFORE DELETE OR UPDATE ON pruned.tombstone FOR EACH ROW EXECUTE FUNCTION never()`)
	d := i.start(t)
	d.becomes(t, http.StatusServiceUnavailable, "overdue by")
	i.Exec(t, `DROP TRIGGER never ON pruned.tombstone`)
	d.becomes(t, http.StatusOK, "")
	require.Zero(t, d.stop(t))
	require.Equal(t, nothing, i.left(t, file))
}

// A queue that stores nothing is said, though it answers all else.
func TestReadyAsksForTheQueue(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	i := install(t, testenv.Vectors(small)).with(natsURL(nats, "s3cret"))
	d := i.start(t)
	d.becomes(t, http.StatusOK, "")
	require.NoError(t, nats.DisableJetStream())
	d.becomes(t, http.StatusServiceUnavailable, "")
	require.Zero(t, d.stop(t))
}

// The folder of the embedded queue may be deleted under a daemon: it is made anew.
func TestQueueThatWasDeletedIsOpenedAnew(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_WEBHOOK_TOKEN="+hookToken, "PRUNED_MAX_FRACTION=1")
	d := i.start(t)
	d.becomes(t, http.StatusOK, "")
	require.Eventually(t, func() bool { return os.RemoveAll(filepath.Join(i.dir, "pruned")) == nil }, signalTimeout, pollEvery, "the queue writes into it")
	require.Eventually(t, func() bool { return strings.Contains(d.errs.String(), "opened anew") }, signalTimeout, pollEvery)
	d.becomes(t, http.StatusOK, "")
	require.DirExists(t, filepath.Join(i.dir, "pruned", "jetstream"))
	file := testenv.NewFile(t, i.Pool)
	i.publish(t, file)
	require.Eventually(t, func() bool { return i.left(t, file) == nothing }, signalTimeout, 20*pollEvery)
	require.Zero(t, d.stop(t))
}

// A consumer whose state a power cut zeroed is no reason to end.
func TestQueueWithADamagedConsumerStarts(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	testenv.NewFile(t, i.Pool) // an empty table is in doubt
	i.publish(t, testenv.NewFile(t, i.Pool))
	require.Equal(t, 1, i.drain(t).Deleted)
	state := filepath.Join(i.dir, "pruned", "jetstream", "$G", "streams", "PRUNED", "obs", "pruned", "o.dat")
	content, err := os.ReadFile(state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(state, make([]byte, len(content)), 0o600))
	require.Equal(t, 1, i.drain(t).Gone, "it comes again, and does no harm")
}

// hold keeps a database open, as the application does.
func hold(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM file`).Scan(&n))
	t.Cleanup(func() { _ = db.Close() })
}
