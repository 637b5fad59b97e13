package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// timesCases: a time in the future, from a clock that was ahead or has been put back,
// counts as now.
var timesCases = map[string]func(*testing.T, Engine){
	"times: clocks that were ahead start anew":       clocksAheadStartAnew,
	"times: candidates from the future are seen now": candidatesAheadAreSeenNow,
	"times: a lease longer than itself is nobody's":  leaseAheadIsFree,
	"times: a wait is no longer than itself":         waitAheadEnds,
	"times: the ledger of the future is retired":     ledgerAheadIsRetired,
	"times: only what was shown is confirmed":        onlyShownIsConfirmed,
	"times: rows in other units are measured":        unitsAreMeasured,
	"times: units are told":                          unitsAreTold,
}

const year = 365 * day

// ahead sets times of a table of pruned's a year ahead.
func (e Engine) ahead(t testing.TB, table, column string) {
	t.Helper()
	require.Positive(t, e.Exec(t, `UPDATE `+e.Own(table)+` SET `+column+` = $1`, e.Moment(time.Now().Add(year))))
}

func clocksAheadStartAnew(t *testing.T, e Engine) {
	ages := repo.Ages{Orphan: time.Hour}
	undated := e.file(t, row{"created_at": nil, "updated_at": nil})
	ids := append(e.files(t, 1), undated)
	e.startClocks(t, ids...)
	e.ahead(t, "candidate", "first_seen")
	for _, f := range e.lock(t, ages, ids...).Files {
		require.False(t, f.HasGrace)
		near(t, 0, f.UnreferencedFor, "unreferenced")
	}
	e.startClocks(t, ids...)
	for _, f := range e.lock(t, ages, ids...).Files {
		require.True(t, f.HasGrace)
		near(t, 0, f.UnreferencedFor, "unreferenced")
		require.GreaterOrEqual(t, f.UnreferencedFor, time.Duration(0))
	}
}

func candidatesAheadAreSeenNow(t *testing.T, e Engine) {
	ages := repo.Ages{Min: time.Minute, Orphan: time.Hour}
	id := e.file(t, nil)
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromBytes, object("a", 1, day))
	e.mark(t, sweep, repo.FromVectors, object("v", 0, 0))
	e.markEnqueued(t, repo.FromRows, id)
	for _, column := range []string{"first_seen", "seen_at", "made_at", "claimed_at"} {
		e.ahead(t, "candidate", column)
	}
	check := func() {
		t.Helper()
		for d, name := range map[repo.Direction]string{repo.FromRows: id, repo.FromBytes: "a", repo.FromVectors: "v"} {
			c := e.candidates(t, d, ages)[name]
			require.Zero(t, c.EnqueuedFor, d)
			near(t, time.Hour, c.DueIn, "until an event is useful")
			require.GreaterOrEqual(t, c.Age, time.Duration(0), d)
		}
		in, found := e.next(t, ages)
		require.True(t, found)
		near(t, time.Hour, in, "until the next is due")
	}
	check()
	e.begin(t)
	check()
	require.False(t, e.candidates(t, repo.FromRows, ages)[id].Since.After(time.Now().Add(time.Minute)), "what is stored is mended")
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.MarkEnqueued(ctx, tx, repo.FromRows, []string{id}))
	})
	require.Positive(t, e.candidates(t, repo.FromRows, ages)[id].EnqueuedFor)
}

func leaseAheadIsFree(t *testing.T, e Engine) {
	lead := func(holder string, ttl time.Duration) bool {
		t.Helper()
		leads, err := e.DB.AcquireLease(background(), holder, ttl)
		require.NoError(t, err)
		return leads
	}
	require.True(t, lead("a", time.Hour))
	require.False(t, lead("b", time.Minute), "another's lease may be longer")
	e.ahead(t, "lease", "until")
	renewed, err := e.DB.RenewLease(background(), "b", time.Minute)
	require.NoError(t, err)
	require.False(t, renewed, "it is another's")
	require.True(t, lead("b", time.Minute))
	require.False(t, lead("a", time.Hour))
	renewed, err = e.DB.RenewLease(background(), "b", time.Minute)
	require.NoError(t, err)
	require.True(t, renewed)
	e.Exec(t, `UPDATE `+e.Own("lease")+` SET ttl = NULL`)
	e.ahead(t, "lease", "until")
	require.True(t, lead("a", time.Hour), "one that was taken before it had a length")
}

func waitAheadEnds(t *testing.T, e Engine) {
	e.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: "a", Name: "a", Delay: time.Hour})
	// A clock that was put right waits anew, one that was a year ahead is not believed.
	e.Exec(t, `UPDATE `+e.Own("tombstone")+` SET due_at = $1`, e.Moment(time.Now().Add(20*time.Hour)))
	e.ahead(t, "tombstone", "made_at")
	for range 2 {
		_, in := e.nextDue(t)
		near(t, time.Hour, in, "until it is due")
		require.Empty(t, e.due(t, repo.Bytes, 1))
	}
	e.Exec(t, `UPDATE `+e.Own("tombstone")+` SET due_at = $1`, e.Moment(time.Now().Add(-time.Minute)))
	e.ahead(t, "tombstone", "made_at")
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		due, err := e.DB.FetchDue(ctx, tx, repo.Bytes, 1)
		require.NoError(t, err)
		near(t, 0, due[0].Age, "since it was written")
		require.GreaterOrEqual(t, due[0].Age, time.Duration(0))
		require.NoError(t, e.DB.Settle(ctx, tx, postpone(due[0].Seq, time.Minute, "away")))
	})
	e.Exec(t, `UPDATE `+e.Own("tombstone")+` SET due_at = $1`, e.Moment(time.Now().Add(20*time.Hour)))
	require.Empty(t, e.due(t, repo.Bytes, 1))
	_, in := e.nextDue(t)
	require.LessOrEqual(t, in, time.Minute)
	e.ahead(t, "tombstone", "due_at")
	_, in = e.nextDue(t)
	require.LessOrEqual(t, in, time.Duration(0))
	require.Len(t, e.due(t, repo.Bytes, 1), 1)
}

func ledgerAheadIsRetired(t *testing.T, e Engine) {
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{{FileID: "a", Outcome: "deleted"}}))
	})
	e.ahead(t, "ledger", "at")
	e.begin(t)
	for range 2 {
		require.NoError(t, e.DB.ExpireOld(background(), time.Microsecond))
	}
	require.Zero(t, e.Count(t, `SELECT count(*) FROM `+e.Own("ledger")))
}

// onlyShownIsConfirmed: by what was shown, since the clock may have gone back
// between the showing and what was found then.
func onlyShownIsConfirmed(t *testing.T, e Engine) {
	ids := e.files(t, 1)
	e.begin(t)
	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromRows, Store: "database", Reason: "r", Found: 1, Total: 1})
	ids = append(ids, e.files(t, 1)...)
	e.begin(t)
	e.Exec(t, `UPDATE `+e.Own("candidate")+` SET first_seen = $1`, e.Moment(time.Now().Add(-day)))
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, err := e.DB.ConfirmHold(ctx, tx, "h", nil)
		require.NoError(t, err)
	})
	found := e.candidates(t, repo.FromRows, repo.Ages{})
	require.True(t, found[ids[0]].Confirmed)
	require.False(t, found[ids[1]].Confirmed, "nobody was shown it")
}

// unitsAreMeasured by sweeps as by the judge of an event.
func unitsAreMeasured(t *testing.T, e Engine) {
	ages := repo.Ages{Min: 10 * time.Hour, Pending: 100 * time.Hour, Orphan: time.Hour}
	pending := row{"data": `{"status":"pending"}`}
	rows := map[string]struct {
		row row
		due time.Duration
	}{
		"old in milliseconds":       {stamped(30*day, time.Millisecond), time.Hour},
		"young in microseconds":     {stamped(2*time.Hour, time.Microsecond), 8 * time.Hour},
		"old in nanoseconds":        {stamped(30*day, time.Nanosecond), time.Hour},
		"in the future":             {aged(-year), 10 * time.Hour},
		"no time":                   {row{"created_at": 0, "updated_at": 1}, 10 * time.Hour},
		"touched in milliseconds":   {with(pending, row{"updated_at": time.Now().Add(-40 * time.Hour).UnixMilli()}), 60 * time.Hour},
		"left in milliseconds":      {with(pending, stamped(200*time.Hour, time.Millisecond)), time.Hour},
		"in flight from the future": {with(pending, aged(-year)), 100 * time.Hour},
	}
	for id, r := range rows {
		e.file(t, with(r.row, row{"id": id}))
	}
	e.begin(t)
	// Ids with spaces are always kept: candidates are made by hand.
	ids := []string{}
	for id := range rows {
		ids = append(ids, id)
	}
	e.startClocks(t, ids...)
	for range 2 {
		found := e.candidates(t, repo.FromRows, ages)
		for id, r := range rows {
			near(t, r.due, found[id].DueIn, "until an event about one "+id)
		}
		require.EqualValues(t, 3, e.census(t, repo.FromRows, ages, 0).Found)
	}
}

func unitsAreTold(t *testing.T, e Engine) {
	e.files(t, 1)
	e.file(t, stamped(day, time.Millisecond))
	e.file(t, row{"updated_at": time.Now().UnixNano()})
	e.file(t, aged(-year))
	found, err := e.DB.CheckDatabase(background())
	require.NoError(t, err)
	for _, f := range found {
		if f.Check == "times" {
			require.True(t, f.OK)
			require.Contains(t, f.Detail, "1 of 4 rows have file.created_at in milliseconds")
			require.Contains(t, f.Detail, "1 of 4 rows have file.updated_at in nanoseconds")
			require.Contains(t, f.Detail, "1 have a file.created_at in the future")
			return
		}
	}
	require.Fail(t, "nobody looked at the times")
}
