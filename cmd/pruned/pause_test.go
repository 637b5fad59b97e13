package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/repo/testenv"
)

// While the work is paused nothing is deleted or removed, by whichever process, also by one
// that is started then; sweeps go on to find; and all of it is told. Then it goes on.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	onPageSites(t, 60, 40, func(t *testing.T, s *pageSite) {
		i := s.with("PRUNED_MAX_FRACTION=1", "PRUNED_SWEEP_EVERY=1s")
		require.Contains(t, i.must(t, "pause"), "paused: no batch begins")
		require.Contains(t, i.must(t, "pause"), "it is paused since")
		d := i.start(t)
		d.comesTo(t, "a sweep found and published", func(g gauges) bool {
			return g["pruned_queue_pending_events"] == 40 && g["pruned_paused"] == 1 && g["pruned_ready"] == 1
		})
		status, body := call(t, http.MethodGet, d.url(t)+"/readyz")
		require.Equal(t, http.StatusOK, status, "paused is ready")
		require.Contains(t, body, "`pruned resume` lets it go on")
		require.EqualValues(t, 60, s.count(t, `SELECT count(*) FROM file`))

		looks := ask[struct{ Queue queueStatus }](t, i, "status")
		require.Equal(t, byCommand, looks.Queue.Control.Paused.By)
		require.Regexp(t, `work +paused at .* by a command`, i.must(t, "status"))
		f := ask[diagnosis](t, i, "doctor").of(t, "work")
		require.True(t, f.OK)
		require.True(t, f.Warn)
		require.Equal(t, "pruned resume", f.Remedy)
		exit, _, errs := i.pruned(t, "", "replay", "--all")
		require.Equal(t, exitFailed, exit)
		require.Contains(t, errs, "pruned resume")

		require.Equal(t, "resumed\n", i.must(t, "resume"))
		require.Equal(t, "it was not paused\n", i.must(t, "resume"))
		require.Eventually(t, func() bool { return s.count(t, `SELECT count(*) FROM file`) == 20 }, signalTimeout, 40*pollEvery)
		require.Empty(t, ask[[]letter](t, i, "dead", "list"))
		d.comesTo(t, "the work goes on", func(g gauges) bool { return g["pruned_paused"] == 0 })
		require.Zero(t, d.stop(t))
	})
}

// Bytes and vectors that are due wait as well, beside a server of others too; a drain ends
// and says why.
func TestPauseKeepsWhatIsDue(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	i := install(t, testenv.Vectors(small)).with(natsURL(nats, "s3cret"), "PRUNED_BYTES_DELAY=1h")
	seeded := i.seed(t, 4, 2)
	i.publish(t, seeded.Orphans...)
	require.Equal(t, 2, i.drain(t).Deleted)
	require.Equal(t, left{bytes: 2}, i.left(t, seeded.Orphans...))
	i.Exec(t, `UPDATE pruned.tombstone SET due_at = due_at - interval '1 day'`)
	i.must(t, "pause")
	exit, _, errs := i.pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, exit)
	require.Contains(t, errs, "by a command: `pruned resume` lets it go on")
	exit, _, _ = i.pruned(t, "", "run", "--once")
	require.Equal(t, exitFailed, exit)
	one, other := i.start(t), i.start(t)
	for _, d := range []*daemon{one, other} {
		d.comesTo(t, "it is late, and ready", func(g gauges) bool {
			return g["pruned_tombstones_overdue_seconds"] > 3600 && g["pruned_ready"] == 1 && g["pruned_paused"] == 1
		})
	}
	require.Equal(t, left{bytes: 2}, i.left(t, seeded.Orphans...))
	i.must(t, "resume")
	require.Eventually(t, func() bool { return i.left(t, seeded.Orphans...) == nothing }, signalTimeout, 20*pollEvery)
	for _, d := range []*daemon{one, other} {
		d.comesTo(t, "each goes on", func(g gauges) bool { return g["pruned_paused"] == 0 })
		require.Zero(t, d.stop(t))
	}
}

// The rate is set, told and set back; what is no rate is refused, as is a dry run.
func TestRate(t *testing.T) {
	t.Parallel()
	i, _ := scratch(t, "PRUNED_RATE=7")
	require.Equal(t, "at most 7 events/s in each process, as PRUNED_RATE says\n", i.must(t, "rate"))
	require.Equal(t, "at most 50 events/s in each process, as was said by a command\n", i.must(t, "rate", "50/s"))
	require.InDelta(t, 50, ask[consumer.Control](t, i, "rate").Rate.PerSecond, 0)
	require.Equal(t, "no limit of the rate, as was said by a command\n", i.must(t, "rate", "none"))
	require.Contains(t, i.must(t, "status"), "goes on, no limit of the rate")
	i.must(t, "rate", "reset")
	require.Contains(t, i.must(t, "status"), "goes on, at most 7 events/s")
	status, _, errs := i.pruned(t, "", "rate", "fast")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, `"fast" is no rate: wanted N/s`)
	for _, command := range []string{"pause", "resume", "rate"} {
		status, _, _ := i.pruned(t, "", command, "--dry-run")
		require.Equal(t, exitUsage, status, command)
	}
}

// The page pauses, resumes and sets the rate, tells its commands, and the ledger who did it.
func TestPagePauses(t *testing.T) {
	t.Parallel()
	onPageSites(t, 4, 0, func(t *testing.T, s *pageSite) {
		v := visit(t, s.start(t))
		v.signIn(t, "Ann")
		require.Contains(t, v.see(t, "/live"), "pruned pause")
		require.Contains(t, v.act(t, "/live/pause", url.Values{}), "by Ann: `pruned resume` lets it go on")
		require.Contains(t, v.act(t, "/live/pause", url.Values{}), "It is paused already, by Ann.")
		require.Contains(t, v.see(t, "/live"), "<code>pruned resume</code>")
		v.shows(t, "/", "Paused")
		require.Contains(t, v.act(t, "/live/resume", url.Values{}), "goes on, no limit of the rate")
		require.Contains(t, v.act(t, "/live/rate", url.Values{"rate": {"50/s"}}), "at most 50 events/s in each process, as was said by Ann")
		response, body := v.send(t, http.MethodPost, "/live/rate", url.Values{"rate": {"fast"}})
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, body, "is no rate")
		for outcome, what := range map[string]string{"paused": "paused, by Ann", "resumed": "resumed, by Ann", "rate": "set the rate to 50/s, by Ann"} {
			require.Equal(t, 1, strings.Count(v.see(t, "/deleted?outcome="+outcome), what), outcome)
		}
	})
}
