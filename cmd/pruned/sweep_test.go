package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/sweep"
	"pruned/repo/testenv"
)

// swept is the result of a sweep.
type swept struct {
	sweep.Report
	Orphans []sweep.Orphan `json:"orphans"`
}

// sweep runs one, which must end with status.
func (i *installation) sweep(t *testing.T, status int, args ...string) (s swept) {
	t.Helper()
	got, out, errs := i.pruned(t, "", append([]string{"sweep", "-o", "json"}, args...)...)
	require.Equal(t, status, got, errs)
	require.Equal(t, 1, strings.Count(out, "\n"), "one object on one line")
	require.NoError(t, json.Unmarshal([]byte(out), &s), out)
	return s
}

func (s swept) ids() []string {
	ids := map[string]bool{}
	for _, o := range s.Orphans {
		ids[o.FileID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// loose leaves vectors and bytes of a file that has no row.
func (i *installation) loose(t *testing.T) string {
	t.Helper()
	id := testenv.NewID()
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: id, Vectors: small})
	testenv.WriteBytes(t, i.uploads(), id, "document.pdf")
	return id
}

func sorted(ids ...string) []string { return slices.Sorted(slices.Values(ids)) }

// A sweep and a drain leave what is in use, and nothing else.
func TestSweepFindsWhatNothingUses(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	seeded := i.seed(t, 100, 40)
	loose := i.loose(t)
	orphans := sorted(append(seeded.Orphans, loose)...)

	dry := i.sweep(t, exitDone, "--dry-run")
	require.Equal(t, orphans, dry.ids())
	require.Zero(t, dry.Published)
	require.Zero(t, i.drain(t).Events, "a dry run publishes nothing")

	s := i.sweep(t, exitDone)
	require.Equal(t, orphans, s.ids())
	require.Len(t, s.Orphans, 42, "the file without a row was found in two stores")
	require.EqualValues(t, 100, s.Files)
	require.EqualValues(t, 41, s.Published)
	require.Zero(t, s.Held)
	require.Positive(t, s.Totals.Bytes)
	require.Zero(t, i.sweep(t, exitDone).Published, "what was reported is not reported again")

	summary := i.drain(t)
	require.Equal(t, 40, summary.Deleted)
	require.Equal(t, 1, summary.Gone)
	require.Equal(t, nothing, i.left(t, orphans...))
	require.Equal(t, 60, i.left(t, seeded.InUse...).rows)
	require.Equal(t, 60, i.left(t, seeded.InUse...).bytes)
	require.Empty(t, i.sweep(t, exitDone).Orphans)
}

func TestSweepPrintsOneObject(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	for _, want := range []int{0, 1} {
		got := ask[map[string]any](t, i, "sweep")
		require.ElementsMatch(t, []string{"id", "files", "published", "held", "holds", "orphans", "totals", "folders", "dangling", "always_kept"}, slices.Collect(maps.Keys(got)))
		require.Len(t, got["orphans"], want)
		require.Equal(t, map[string]any{"files": 0.0, "examples": []any{}}, got["always_kept"])
		if want > 0 {
			require.ElementsMatch(t, []string{"file_id", "direction", "age_s", "due_in_s", "bytes"},
				slices.Collect(maps.Keys(got["orphans"].([]any)[0].(map[string]any))))
		}
		testenv.NewFile(t, i.Pool)
	}
}

// What is held is told, kept, and let go by its id.
func TestSweepIsHeld(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 100, 40)
	held := i.sweep(t, exitHeld)
	require.EqualValues(t, 40, held.Held)
	require.Zero(t, held.Published)
	require.Len(t, held.Orphans, 40, "they are shown")
	require.Zero(t, i.drain(t).Events)
	status, out, errs := i.pruned(t, "", "sweep")
	require.Equal(t, exitHeld, status)
	require.Contains(t, out, "held")
	require.Contains(t, errs, "--confirm "+held.ID)
	out = i.must(t, "explain", seeded.Orphans[0])
	require.Regexp(t, `(?m)^verdict +deleted, if an event about it came now: nothing mentions it$`, out)
	require.Regexp(t, "(?m)^held +by sweeps: row of database: .*`pruned sweep --confirm "+held.ID+"` lets it go$", out)

	status, _, errs = i.pruned(t, "", "sweep", "--confirm", "nothing")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "no sweep is held under that id")
	failed := i.sweep(t, exitFailed, "--confirm", "nothing")
	require.NotNil(t, failed.Orphans, "an object all the same")
	require.NotNil(t, failed.Holds)
	testenv.InsertNote(t, i.Pool, seeded.Orphans[0])
	let := i.sweep(t, exitDone, "--confirm", held.ID)
	require.EqualValues(t, 39, let.Published, "it looks again")
	require.Equal(t, &sweep.LetGo{Files: 39}, let.LetGo)
	earlier := i.sweep(t, exitDone, "--confirm", held.ID).Earlier
	require.EqualValues(t, 39, earlier.Left)
	require.WithinDuration(t, time.Now(), earlier.At, time.Hour)
	require.Equal(t, 39, i.drain(t).Deleted)
	require.Equal(t, 1, i.left(t, seeded.Orphans...).rows)
	require.Regexp(t, `\A`+held.ID+` was confirmed at .+; nothing of it is left to go\n\z`, i.must(t, "sweep", "--confirm", held.ID))
}

// What was confirmed before is told, in a folder as beside a server.
func TestConfirmTwice(t *testing.T) {
	t.Parallel()
	i, _ := scratch(t, "PRUNED_MAX_FRACTION=0", "PRUNED_ORPHAN_AGE=1h")
	id := i.sweep(t, exitHeld).ID
	let := i.sweep(t, exitDone, "--confirm", id).LetGo
	require.Positive(t, let.Files)
	again := i.sweep(t, exitDone, "--confirm", id, "--dry-run")
	require.Equal(t, let.Files, again.Earlier.Left)
	require.InDelta(t, 3600, again.Earlier.FirstIn, 600)
	require.Nil(t, again.LetGo)
	require.Regexp(t, id+` was confirmed at .+; \d+ of it are left, as of the last sweep, and go when they are due, the first at \d\d:\d\d, in \d+m\n`, i.must(t, "sweep", "--confirm", id))
	status, _, errs := i.pruned(t, "", "sweep", "--confirm", "never")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "no sweep is held under that id: it never was confirmed either")
}

// A part of what is held is let go, the rest told and kept under the same id.
func TestConfirmAPart(t *testing.T) {
	t.Parallel()
	i, _ := scratch(t, "PRUNED_MAX_FRACTION=0", "PRUNED_MIN_AGE=0")
	held := i.sweep(t, exitHeld)
	found := map[string]int{}
	var rows []string
	for _, o := range held.Orphans {
		if found[string(o.Direction)]++; o.Direction == "row" {
			rows = append(rows, o.FileID)
		}
	}
	require.Greater(t, len(rows), 10)
	require.NotEmpty(t, held.Holds)
	for _, args := range [][]string{{"--only", "row"}, {"--except", rows[0]}, {"--older-than", "1d"}} {
		status, _, errs := i.pruned(t, "", append([]string{"sweep"}, args...)...)
		require.Equal(t, exitUsage, status)
		require.Contains(t, errs, "wanted --confirm ID as well")
	}
	status, _, errs := i.pruned(t, "", "sweep", "--confirm", held.ID, "--only", "rows")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, `"rows"`)
	status, _, errs = i.pruned(t, "", "sweep", "--confirm", held.ID, "--except", "nobody")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, `"nobody", which is to be excepted, is not among what is held`)

	dry := i.sweep(t, exitHeld, "--dry-run", "--confirm", held.ID, "--only", "row", "--except", rows[0])
	require.EqualValues(t, len(rows)-1, dry.LetGo.Files)
	part := i.sweep(t, exitHeld, "--confirm", held.ID, "--only", "row", "--except", rows[0], "--except", rows[1])
	require.EqualValues(t, len(rows)-2, part.LetGo.Files)
	require.Len(t, part.Holds, len(held.Holds))
	for _, h := range part.Holds {
		require.Equal(t, held.ID, h.ID)
	}
	require.EqualValues(t, part.Published, i.drain(t).Deleted, "what is processed is not due yet")
	require.Positive(t, part.Published)
	status, out, errs := i.pruned(t, "", "sweep")
	require.Equal(t, exitHeld, status)
	require.Regexp(t, `held +2 +row of database: some of it was let go, and the rest stays until it is confirmed as well`, out)
	require.Contains(t, errs, "--confirm "+held.ID)
	require.GreaterOrEqual(t, i.sweep(t, exitDone, "--confirm", held.ID, "--only", "row").LetGo.Files, int64(2))
	require.Regexp(t, held.ID+" was confirmed at", i.must(t, "sweep", "--confirm", held.ID, "--only", "row"))
}

// A confirmation says what it let go, and when that goes.
func TestConfirmSaysWhatGoesAndWhen(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_ORPHAN_AGE=1h")
	i.seed(t, 100, 40)
	held := i.sweep(t, exitHeld)
	require.Nil(t, held.LetGo)
	require.Regexp(t, `\n\n40 files go when they are due, the first at \d\d:\d\d, in \d\dm\n\z`, i.must(t, "sweep", "--confirm", held.ID))
	now := time.Date(2026, 1, 31, 8, 59, 0, 0, time.Local)
	for want, r := range map[string]sweep.Report{
		"": {},
		"1,234 files go when they are due, the first at 09:58, in 59m":           {LetGo: &sweep.LetGo{Files: 1234, FirstIn: 59 * 60}},
		"3 files go when they are due, the first now: `pruned run` deletes them": {LetGo: &sweep.LetGo{Files: 3}},
		"confirmed; nothing of it is left to go: it is used by now, or gone":     {LetGo: &sweep.LetGo{}},
	} {
		require.Equal(t, want, describeLetGo(r, now))
	}
	require.Empty(t, describeLetGo(sweep.Report{LetGo: &sweep.LetGo{}, Folders: sweep.Folders{Removed: 1}}, now))
}

func TestSweepTellsWhatIsNotYetDue(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_ORPHAN_AGE=1h")
	file := testenv.NewFile(t, i.Pool)
	s := i.sweep(t, exitDone)
	require.Len(t, s.Orphans, 1)
	require.Zero(t, s.Published)
	require.InDelta(t, 3600, s.Orphans[0].DueIn, 600)
	require.Regexp(t, `\AFOUND +SIZE +DUE NOW *\n1 +\S+ \S+ +0 +files that nothing mentions\n\n`+
		`DIRECTION +SIZE +AGE +DUE IN +OWNER +NAME +REASON +FILE\nrow +\S+ \S+ +30d +\d+m +\S+ +\S.* +nothing mentions it +`+regexp.QuoteMeta(file)+`\n\n`, i.must(t, "sweep", "--dry-run"))
	require.NotContains(t, i.must(t, "sweep"), file, "a sweep that publishes prints no table")
}

// A dry run shows how many there are in each direction, and the largest by their names.
func TestSweepShowsTheLargestByName(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	i.seed(t, 30, 0)
	i.Exec(t, `UPDATE "user" SET name = 'Alice' WHERE id = $1`, testenv.UserID)
	var ids []string
	for n := range 25 {
		file := testenv.InsertFile(t, i.Pool, testenv.File{Name: fmt.Sprintf("report %d.pdf", n)}).ID
		i.Exec(t, `UPDATE file SET meta = json_build_object('size', $2::bigint) WHERE id = $1`, file, 1024*(n+1))
		ids = append(ids, file)
	}
	i.Exec(t, `UPDATE file SET data = '{"status": "failed"}' WHERE id = $1`, ids[24])
	loose := testenv.NewID()
	testenv.WriteBytes(t, i.uploads(), loose, "lost.pdf")

	out := i.must(t, "sweep", "--dry-run", "--limit", "3")
	require.Regexp(t, `(?m)^25 +325 KiB +25 +files that nothing mentions$`, out)
	require.Regexp(t, `(?m)^1 +256 B +1 +files without a row, but with bytes$`, out)
	require.Regexp(t, `(?m)^row +25 KiB +30d +now +Alice +report 24\.pdf +its processing failed +`+ids[24]+`\nrow +24 KiB .*report 23\.pdf +nothing mentions it .*\nrow +23 KiB .*\n23 more are not shown`, out)
	require.Regexp(t, `(?m)^bytes +256 B +\S+ +now +- +lost\.pdf +its row is gone +`+loose+`$`, i.must(t, "sweep", "--dry-run", "--sort", "age", "--limit", "0"))
	require.ElementsMatch(t, append(ids, loose), strings.Fields(i.must(t, "sweep", "--dry-run", "-o", "name")))
	require.Zero(t, i.drain(t).Events)
	_, _, errs := i.pruned(t, "", "sweep")
	require.NotContains(t, errs, ".pdf", "names are in no log")
}

// The program finds orphans by itself, and tells what it holds.
func TestRunSweeps(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=0.5")
	seeded := i.seed(t, 100, 40)
	d := i.start(t)
	require.Eventually(t, func() bool { return i.left(t, seeded.Orphans...) == nothing }, signalTimeout, 20*pollEvery)
	require.Equal(t, 60, i.left(t, seeded.InUse...).rows)
	require.Zero(t, d.stop(t))

	i.Exec(t, `UPDATE note SET data = '{}'`)
	i.Exec(t, `DELETE FROM knowledge`)
	i.Exec(t, `DELETE FROM chat`)
	i.Exec(t, `DELETE FROM folder`)
	d = i.with("PRUNED_MAX_FRACTION=0").start(t)
	require.Eventually(t, func() bool { return strings.Contains(d.errs.String(), "sweep --confirm") }, signalTimeout, pollEvery)
	match := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(d.errs.String())
	require.NotNil(t, match)
	status, body := call(t, http.MethodGet, "http://"+match[1]+"/healthz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "held: row of database")
	require.Eventually(t, func() bool {
		status, _ := call(t, http.MethodGet, "http://"+match[1]+"/readyz")
		return status == http.StatusOK
	}, signalTimeout, pollEvery)
	file := testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: time.Now()}).ID
	i.publish(t, file)
	require.Eventually(t, func() bool { return i.left(t, file) == nothing }, signalTimeout, 20*pollEvery)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	kept, doomed := testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool)
	testenv.InsertNote(t, i.Pool, kept)
	i.publish(t, kept, doomed)
	require.Equal(t, 1, i.drain(t).Kept)
	i.Exec(t, `DELETE FROM note`)

	require.Equal(t, 1, ask[consumer.Summary](t, i, "replay", "--all", "--dry-run").Deleted)
	require.Equal(t, 1, i.left(t, kept).rows)
	require.Zero(t, ask[consumer.Summary](t, i, "replay", "--since", "2100-01-01").Events)
	summary := ask[consumer.Summary](t, i, "replay", "--since", "1h", "--reason", "once more")
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, 1, summary.Gone)
	require.Equal(t, nothing, i.left(t, kept, doomed))
	require.Equal(t, "once more", ask[[]map[string]any](t, i, "ledger", kept)[0]["reason"])
	require.Contains(t, i.must(t, "replay", "--from-seq", "2"), "events")
	status, _, errs := i.pruned(t, "", "replay", "--resume", "nobody")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "no such interrupted replay")
}

func TestInstants(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2h":                   now.Add(-2 * time.Hour),
		"2026-01-30T07:00:00Z": now.Add(-25 * time.Hour),
	} {
		got, err := parseInstant(text, now)
		require.NoError(t, err)
		require.True(t, want.Equal(got), text)
	}
	for _, text := range []string{"-2h", "yesterday", "7", ""} {
		_, err := parseInstant(text, now)
		require.Error(t, err, text)
	}
}

func TestShortDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"24h": "24h", "1h": "1h", "90m": "1h30m", "5m": "5m", "90s": "1m30s", "10s": "10s", "0s": "0s"} {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		require.Equal(t, want, shortDuration(d))
	}
}
