package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/prune"
	"pruned/repo/testenv"
)

// gauges are the figures of a scrape, by their names with their labels.
type gauges map[string]float64

// scrape reads the metrics of a daemon as Prometheus does, which has no objection to
// their names.
func scrape(t *testing.T, url string) (page string, read gauges) {
	t.Helper()
	status, page := call(t, http.MethodGet, url+"/metrics")
	require.Equal(t, http.StatusOK, status, page)
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	read = gauges{}
	for line := range strings.Lines(page) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " ")
		value, err := strconv.ParseFloat(line[at+1:], 64)
		require.NoError(t, err, line)
		read[line[:at]] = value
	}
	return page, read
}

// comesTo waits until the figures are as wanted, and returns that scrape.
func (d *daemon) comesTo(t *testing.T, what string, is func(gauges) bool) (page string, read gauges) {
	t.Helper()
	url := d.url(t)
	require.Eventually(t, func() bool {
		page, read = scrape(t, url)
		d.seen.add(read)
		return is(read) || len(d.ended) > 0
	}, signalTimeout, 20*pollEvery, what)
	require.Empty(t, d.ended, "run does not end")
	require.True(t, is(read), "%s:\n%s", what, page)
	return page, read
}

// count is the figure of files that events were about.
func count(outcome event.Outcome) string {
	return fmt.Sprintf("pruned_events_total{kind=\"file\",outcome=%q}", outcome)
}

// What a daemon does is counted, and how things are is told; nothing of the installation
// is told with it.
func TestMetricsTellWhatWasDone(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1", "PRUNED_WEBHOOK_TOKEN="+hookToken)
	seeded := i.seed(t, 20, 8)
	guilty, gone := seeded.Orphans[3], testenv.NewID()
	i.Exec(t, fmt.Sprintf(obstacles[0].sql, guilty))
	began := time.Now()
	i.publish(t, seeded.InUse[0], seeded.InUse[0])
	d := i.start(t)
	d.comesTo(t, "it has begun", func(g gauges) bool { return len(g) > 0 })
	d.becomes(t, http.StatusOK, "")
	i.publish(t, gone)
	page, read := d.comesTo(t, "all is done", func(g gauges) bool {
		return g[count(event.Deleted)] == 7 && g[count(event.Poison)] == 1 && g[count(event.Kept)] == 1 && g[count(event.Gone)] == 1 &&
			g[`pruned_removed_total{kind="object"}`] == 7 && g["pruned_queue_dead_letters"] == 1
	})
	require.Subset(t, read, gauges{
		`pruned_removed_total{kind="file"}`: 7, "pruned_ready": 1,
		"pruned_sweep_last_orphans": 8, "pruned_sweep_last_published_events": 8, "pruned_sweep_last_held_orphans": 0,
		"pruned_transaction_seconds_count": read[`pruned_transactions_total{result="committed"}`] + read[`pruned_transactions_total{result="rolled_back"}`],
	})
	require.GreaterOrEqual(t, read[`pruned_removed_total{kind="chunk"}`], 7.0)
	require.Positive(t, read[`pruned_removed_bytes_total{kind="object"}`])
	require.Positive(t, read[`pruned_sweeps_total{result="succeeded"}`])
	require.InDelta(t, read["pruned_sweep_seconds_count"], read[`pruned_sweeps_total{result="succeeded"}`], 0)
	for _, place := range []string{"queue", "uploads"} {
		require.Positive(t, read[fmt.Sprintf("pruned_disk_free_bytes{place=%q}", place)])
		require.Positive(t, read[fmt.Sprintf("pruned_disk_size_bytes{place=%q}", place)])
	}
	require.Positive(t, read[`pruned_transactions_total{result="committed"}`])
	require.Positive(t, read[`pruned_transactions_total{result="rolled_back"}`], "of the batch that cannot commit whole")
	require.Positive(t, read["pruned_transaction_seconds_sum"])
	for _, step := range prune.AllSteps {
		require.Positive(t, read[fmt.Sprintf("pruned_transaction_step_seconds_count{step=%q}", step)], step)
	}
	require.Positive(t, read["pruned_sweep_last_duration_seconds"])
	require.GreaterOrEqual(t, read["pruned_sweep_last_success_timestamp_seconds"], float64(began.Unix()))
	require.Contains(t, read, "pruned_sweep_consecutive_failures")
	require.Contains(t, read, "pruned_index_age_seconds")
	require.LessOrEqual(t, read["pruned_index_age_seconds"], time.Since(began).Seconds())
	require.Contains(t, page, fmt.Sprintf(`version=%q`, version))
	require.Contains(t, read, "go_goroutines")
	require.NotContains(t, page, `pruned_scrape_errors_total{source="holds"} 1`)

	d.seen.requireMoved(t, "work")

	planted := append([]string{gone, hookToken, i.dir, i.Name, i.URL, "legal hold"}, append(seeded.Orphans, seeded.InUse...)...)
	for _, text := range planted {
		require.NotContains(t, page, text)
	}
	require.Zero(t, d.stop(t))
}

// What waits is told: in the queue, in tombstones, in holds.
func TestMetricsTellWhatWaits(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_BYTES_DELAY=1h", "PRUNED_TRASH=2h", "PRUNED_RATE=2", "PRUNED_BATCH=1", "PRUNED_WORKERS=1")
	seeded := i.seed(t, 40, 20)
	i.Exec(t, `UPDATE file SET meta = '{"size": 1000}' WHERE id = ANY ($1)`, seeded.Orphans)
	d := i.start(t)
	d.comesTo(t, "the sweep is held", func(g gauges) bool {
		return g[`pruned_holds{direction="row"}`] == 1 && g["pruned_sweep_last_held_orphans"] == 20 && g[`pruned_sweeps_total{result="held"}`] > 0
	})
	i.publish(t, seeded.Orphans[:2]...)
	_, read := d.comesTo(t, "bytes wait, and nothing else", func(g gauges) bool {
		return g[`pruned_tombstones{kind="bytes"}`] == 2 && g[`pruned_tombstones{kind="vectors"}`] == 0 && g["pruned_queue_unacked_events"] == 0
	})
	require.Zero(t, read["pruned_tombstones_overdue_seconds"])
	require.Subset(t, read, gauges{"pruned_trash_files": 2, "pruned_trash_bytes": 2000})
	require.Positive(t, read["pruned_trash_oldest_age_seconds"])
	require.Contains(t, read, "pruned_queue_oldest_event_age_seconds")

	i.Exec(t, `
		CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '55000'; END $$;
		UPDATE pruned.tombstone SET due_at = due_at - interval '1 day';
		CREATE TRIGGER never BEFORE DELETE OR UPDATE ON pruned.tombstone FOR EACH ROW EXECUTE FUNCTION never()`)
	d.comesTo(t, "they are late", func(g gauges) bool { return g["pruned_tombstones_overdue_seconds"] > 3600 })

	app, err := i.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = app.Exec(t.Context(), `SELECT FROM file WHERE id = $1 FOR UPDATE`, seeded.InUse[0])
	require.NoError(t, err)
	i.publish(t, seeded.InUse...)
	d.comesTo(t, "events wait", func(g gauges) bool {
		return g["pruned_queue_pending_events"] > 0 && g["pruned_queue_unacked_events"] > 0 &&
			g["pruned_queue_oldest_event_age_seconds"] > 1 && g[count(event.Busy)] > 0 && g["pruned_redelivered_events_total"] > 0
	})
	require.NoError(t, app.Rollback(t.Context()))
	i.must(t, "pause")
	d.comesTo(t, "it is paused", func(g gauges) bool { return g["pruned_paused"] == 1 })
	d.seen.requireMoved(t, "waiting")
	require.Zero(t, d.stop(t))
}

// Sweeps that fail are counted, and so is not being ready.
func TestMetricsTellOfFailures(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_SWEEP_EVERY=1s")
	d := i.start(t)
	_, first := d.comesTo(t, "a sweep succeeded", func(g gauges) bool {
		return g["pruned_sweep_last_success_timestamp_seconds"] > 0 && g["pruned_ready"] == 1
	})
	i.Exec(t, `ALTER TABLE pruned.candidate RENAME TO candidate_away; ALTER TABLE pruned.hold RENAME TO hold_away`)
	_, read := d.comesTo(t, "sweeps fail", func(g gauges) bool { return g["pruned_sweep_consecutive_failures"] >= 3 && g["pruned_ready"] == 0 })
	require.GreaterOrEqual(t, read["pruned_sweep_last_success_timestamp_seconds"], first["pruned_sweep_last_success_timestamp_seconds"])
	require.Positive(t, read[`pruned_scrape_errors_total{source="holds"}`])
	require.Positive(t, read[`pruned_sweeps_total{result="failed"}`])
	require.NotContains(t, read, `pruned_holds{direction="row"}`)
	require.Contains(t, read, `pruned_tombstones{kind="bytes"}`)
	i.Exec(t, `ALTER TABLE pruned.candidate_away RENAME TO candidate; ALTER TABLE pruned.hold_away RENAME TO hold`)
	d.comesTo(t, "all is well again", func(g gauges) bool { return g["pruned_ready"] == 1 && g["pruned_sweep_consecutive_failures"] == 0 })
	d.seen.requireMoved(t, "failures")
	require.Zero(t, d.stop(t))
}

// On SQLite every source answers, too, and a dry run counts as one.
func TestMetricsOfAFolder(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	d := i.start(t, "--dry-run")
	i.publish(t, world.Files[0].ID)
	page, read := d.comesTo(t, "an event was handled", func(g gauges) bool { return g[`pruned_transactions_total{result="dry_run"}`] > 0 })
	require.Contains(t, read, "pruned_index_age_seconds")
	require.Contains(t, read, `pruned_tombstones{kind="vectors"}`)
	require.Contains(t, read, "pruned_trash_files")
	require.Positive(t, read[`pruned_disk_free_bytes{place="database"}`])
	require.Zero(t, read[`pruned_removed_total{kind="file"}`])
	for figure, value := range read {
		if strings.HasPrefix(figure, "pruned_scrape_errors_total") {
			require.Zero(t, value, figure)
		}
	}
	for _, file := range world.Files {
		require.NotContains(t, page, file.ID)
	}
	require.NotContains(t, page, world.Dir)
	require.Zero(t, d.stop(t))
}
