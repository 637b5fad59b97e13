package repotest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// lockKnowsRows: every id is in exactly one list, and rows come in the order of
// their ids.
func lockKnowsRows(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	bare := e.file(t, row{"path": nil, "data": nil, "meta": nil, "updated_at": nil})
	locked := e.lock(t, repo.Ages{}, append(slices.Clone(ids), "gone", bare)...)
	require.Equal(t, []string{"gone"}, locked.Gone)
	require.Empty(t, locked.Busy)
	want := append(slices.Clone(ids), bare)
	slices.Sort(want)
	var got []string
	for _, f := range locked.Files {
		got = append(got, f.ID)
		if f.ID == bare {
			require.Empty(t, f.Path)
		} else {
			require.Equal(t, "/data/uploads/"+f.ID+"_report.pdf", f.Path)
		}
	}
	require.Equal(t, want, got)
	require.Empty(t, e.lock(t, repo.Ages{}, "gone").Files)
}

// lockNeverWaits: what somebody else holds is busy, and only that.
func lockNeverWaits(t *testing.T, e Engine) {
	ids := e.files(t, 2)
	release := e.Hold(t, ids[0])
	locked := e.lock(t, repo.Ages{}, ids[0], ids[1], "gone")
	require.Equal(t, []string{ids[0]}, locked.Busy)
	require.Equal(t, []string{"gone"}, locked.Gone)
	require.Len(t, locked.Files, 1)
	release()
	require.Len(t, e.lock(t, repo.Ages{}, ids...).Files, 2)
}

// lockDoubts: an empty table may be about to be filled from a backup. What somebody
// let go is gone all the same.
func lockDoubts(t *testing.T, e Engine) {
	id := e.file(t, nil)
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromVectors, object("v", 0, 0), object("late", 0, 0))
	e.mark(t, sweep, repo.FromBytes, object("b", 1, 0))
	ids := []string{id, "v", "b", "never"}
	require.Equal(t, ids[1:], e.lock(t, repo.Ages{}, ids[1:]...).Gone)
	e.Exec(t, `DELETE FROM file`)
	locked := e.lock(t, repo.Ages{}, ids...)
	require.Empty(t, locked.Gone)
	require.ElementsMatch(t, ids, locked.Deferred)

	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromBytes, Store: "bucket", Reason: "r", Found: 1, Total: 1})
	_, err := e.confirm(t, "h")
	require.NoError(t, err)
	locked = e.lock(t, repo.Ages{}, ids...)
	require.Equal(t, []string{"b"}, locked.Gone)
	require.ElementsMatch(t, []string{id, "v", "never"}, locked.Deferred)
	e.file(t, nil)
	require.Equal(t, ids, e.lock(t, repo.Ages{}, ids...).Gone)
}

// slack is how far a measured age may be from the one that was meant: rows are
// written before they are measured.
const slack = 2 * time.Minute

func near(t testing.TB, want, got time.Duration, what string) {
	t.Helper()
	require.InDelta(t, want.Seconds(), got.Seconds(), slack.Seconds(), what)
}

// lockMeasures: ages are those of created_at, by the database's clock.
func lockMeasures(t *testing.T, e Engine) {
	ages := repo.Ages{Min: 10 * time.Hour, Pending: 100 * time.Hour, Orphan: time.Hour}
	for _, c := range []struct {
		what      string
		row       row
		age, ripe time.Duration
	}{
		{"old", aged(30 * day), 30 * day, 10*time.Hour - 30*day},
		{"young", aged(2 * time.Hour), 2 * time.Hour, 8 * time.Hour},
		{"in the future", aged(-5 * time.Hour), 0, 10 * time.Hour},
		{"in milliseconds", stamped(30*day, time.Millisecond), 30 * day, 10*time.Hour - 30*day},
		{"in microseconds", stamped(2*time.Hour, time.Microsecond), 2 * time.Hour, 8 * time.Hour},
		{"in nanoseconds", stamped(30*day, time.Nanosecond), 30 * day, 10*time.Hour - 30*day},
		{"no time at all", row{"created_at": 0, "updated_at": 12345}, 0, 10 * time.Hour},
		{"touched lately", row{"updated_at": time.Now().Unix()}, 30 * day, 10*time.Hour - 30*day},
		{"undated", row{"created_at": nil, "updated_at": nil}, 0, 10 * time.Hour},
	} {
		locked := e.lock(t, ages, e.file(t, c.row))
		require.Len(t, locked.Files, 1, c.what)
		near(t, c.age, locked.Files[0].Age, c.what)
		near(t, c.ripe, locked.Files[0].EligibleIn, c.what)
		require.False(t, locked.Files[0].HasGrace, c.what)
		require.False(t, locked.Files[0].InFlight, c.what)
	}
}

// lockKnowsInFlight: a file that is being processed, and was touched lately, is
// in flight; one that was forgotten there long ago is not.
func lockKnowsInFlight(t *testing.T, e Engine) {
	ages := repo.Ages{Min: time.Hour, Pending: 100 * time.Hour}
	data := func(r row, data any) row { r["data"] = data; return r }
	for _, c := range []struct {
		what     string
		row      row
		inFlight bool
	}{
		{"pending", data(aged(40*time.Hour), `{"status":"pending"}`), true},
		{"processing", data(aged(40*time.Hour), `{"status": "processing", "content":"x"}`), true},
		{"pending, touched lately", data(row{"updated_at": time.Now().Unix()}, `{"status":"pending"}`), true},
		{"pending, never touched", data(row{"created_at": time.Now().Add(-time.Hour).Unix(), "updated_at": nil}, `{"status":"pending"}`), true},
		{"pending in milliseconds", data(stamped(40*time.Hour, time.Millisecond), `{"status":"pending"}`), true},
		{"pending for ever in nanoseconds", data(stamped(200*time.Hour, time.Nanosecond), `{"status":"pending"}`), false},
		{"pending in the future", data(aged(-1000*time.Hour), `{"status":"pending"}`), true},
		{"pending for ever", data(aged(200*time.Hour), `{"status":"pending"}`), false},
		{"completed", data(aged(40*time.Hour), `{"status":"completed"}`), false},
		{"failed", data(aged(40*time.Hour), `{"status":"failed","error":"pending"}`), false},
		{"no status", data(aged(40*time.Hour), `{"content":"pending"}`), false},
		{"no data", data(aged(40*time.Hour), nil), false},
		{"null", data(aged(40*time.Hour), `null`), false},
		{"a list", data(aged(40*time.Hour), `["status"]`), false},
		{"a string", data(aged(40*time.Hour), `"pending"`), false},
	} {
		locked := e.lock(t, ages, e.file(t, c.row))
		require.Len(t, locked.Files, 1, c.what)
		require.Equal(t, c.inFlight, locked.Files[0].InFlight, c.what)
		require.Equal(t, c.inFlight, locked.Files[0].EligibleIn > 0, c.what)
	}
}
