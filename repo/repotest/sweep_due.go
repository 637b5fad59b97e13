package repotest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// sweepMeasuresRows as the judge of an event does.
func sweepMeasuresRows(t *testing.T, e Engine) {
	ages := repo.Ages{Min: 10 * time.Hour, Pending: 100 * time.Hour, Orphan: time.Hour}
	now := time.Now().Unix()
	rows := map[string]struct {
		row  row
		due  time.Duration
		size int64
	}{
		"old":        {row{"meta": `{"size": 1234, "name": "x"}`}, time.Hour, 1234},
		"young":      {with(aged(2*time.Hour), row{"meta": `{"size": 0}`}), 8 * time.Hour, 0},
		"nearly":     {with(aged(595*time.Minute), row{"meta": nil}), time.Hour, 0},
		"undated":    {row{"created_at": nil, "updated_at": nil, "meta": `null`}, 10 * time.Hour, 0},
		"touched":    {row{"updated_at": now, "meta": `{"size": "large"}`}, time.Hour, 0},
		"pending":    {row{"updated_at": now, "data": `{"status":"pending"}`}, 100 * time.Hour, 0},
		"processing": {with(aged(40*time.Hour), row{"data": `{"status":"processing"}`}), 60 * time.Hour, 0},
		"forever":    {row{"data": `{"status":"processing"}`}, time.Hour, 0},
	}
	for id, r := range rows {
		e.file(t, with(r.row, row{"id": id}))
	}
	e.begin(t)
	check := func() {
		t.Helper()
		found := e.candidates(t, repo.FromRows, ages)
		require.Len(t, found, len(rows))
		for id, r := range rows {
			near(t, r.due, found[id].DueIn, "until an event about "+id)
			require.Equal(t, r.size, found[id].Size, id)
		}
		near(t, 30*day, found["old"].Age, "age")
	}
	check()
	require.Equal(t, repo.CandidateCount{Total: 8, Found: 3}, e.census(t, repo.FromRows, ages, 99))
	check()
	require.Equal(t, repo.CandidateCount{Total: 8, Found: 6}, e.census(t, repo.FromRows, repo.Ages{Pending: 50 * time.Hour}, 0))
}

// with adds to the columns of a row.
func with(r, more row) row {
	both := row{}
	for _, columns := range []row{r, more} {
		for column, value := range columns {
			both[column] = value
		}
	}
	return both
}

// sweepLooksAtTouched: what was not in flight may be by now.
func sweepLooksAtTouched(t *testing.T, e Engine) {
	ages := repo.Ages{Pending: 100 * time.Hour}
	id := e.file(t, row{"updated_at": time.Now().Add(-time.Hour).Unix()})
	e.begin(t)
	require.EqualValues(t, 1, e.census(t, repo.FromRows, ages, 0).Found)
	e.Exec(t, `UPDATE file SET data = '{"status":"processing"}', updated_at = $1`, time.Now().Unix())
	near(t, 100*time.Hour, e.candidates(t, repo.FromRows, ages)[id].DueIn, "until it is no longer in flight")
	require.Zero(t, e.census(t, repo.FromRows, ages, 0).Found)
	e.Exec(t, `UPDATE file SET data = '{"status":"completed"}'`)
	require.EqualValues(t, 1, e.census(t, repo.FromRows, ages, 0).Found)
}

// candidatesInPages: after an id, in the order of the ids.
func candidatesInPages(t *testing.T, e Engine) {
	ids := e.files(t, 5)
	slices.Sort(ids)
	e.begin(t)
	page := func(after string, most int) (got []string) {
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			found, err := e.DB.ListCandidates(ctx, tx, repo.FromRows, repo.Ages{}, after, most)
			require.NoError(t, err)
			for _, c := range found {
				got = append(got, c.FileID)
			}
		})
		return got
	}
	require.Equal(t, ids[:3], page("", 3))
	require.Equal(t, ids[3:], page(ids[2], 3))
	require.Equal(t, ids, page("", 5))
	require.Empty(t, page(ids[4], 5))
	e.Exec(t, `DELETE FROM file WHERE id = $1`, ids[1])
	require.Equal(t, []string{ids[0], ids[2]}, page("", 2), "a page is full as long as there are more")
}

func (e Engine) markEnqueued(t testing.TB, d repo.Direction, ids ...string) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.MarkEnqueued(ctx, tx, d, ids)) })
}

func (e Engine) next(t testing.TB, ages repo.Ages) (time.Duration, bool) {
	t.Helper()
	in, found, err := e.DB.NextCandidate(background(), ages)
	require.NoError(t, err)
	return in, found
}

// enqueuedIsTold: in the direction in which it is reported, and until it goes.
func enqueuedIsTold(t *testing.T, e Engine) {
	ids := e.files(t, 2)
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromBytes, object("a", 1, 0))
	e.mark(t, sweep, repo.FromVectors, object("a", 0, 0))
	e.markEnqueued(t, repo.FromRows, ids[0], "nobody")
	e.markEnqueued(t, repo.FromBytes, "a")
	for range 2 {
		rows := e.candidates(t, repo.FromRows, repo.Ages{})
		require.Positive(t, rows[ids[0]].EnqueuedFor)
		near(t, 0, rows[ids[0]].EnqueuedFor, "reported")
		require.Zero(t, rows[ids[1]].EnqueuedFor)
		require.Positive(t, e.candidates(t, repo.FromBytes, repo.Ages{})["a"].EnqueuedFor)
		require.Zero(t, e.candidates(t, repo.FromVectors, repo.Ages{})["a"].EnqueuedFor)
		require.EqualValues(t, 2, e.census(t, repo.FromRows, repo.Ages{}, 0).Found)
		e.sweep(t, repo.FromBytes, object("a", 1, 0))
	}
	e.sweep(t, repo.FromBytes)
	e.sweep(t, repo.FromBytes, object("a", 1, 0))
	require.Zero(t, e.candidates(t, repo.FromBytes, repo.Ages{})["a"].EnqueuedFor)
}

// nextIsTold: the first of all directions that is neither reported nor held.
func nextIsTold(t *testing.T, e Engine) {
	ages := repo.Ages{Min: 10 * time.Hour, Orphan: time.Hour}
	_, found := e.next(t, ages)
	require.False(t, found)
	young := e.file(t, aged(2*time.Hour))
	e.sweep(t, repo.FromBytes, object("a", 1, 5*time.Hour))
	in, found := e.next(t, ages)
	require.True(t, found)
	near(t, 5*time.Hour, in, "until the first candidate is due")
	e.markEnqueued(t, repo.FromBytes, "a")
	in, found = e.next(t, ages)
	require.True(t, found)
	near(t, 8*time.Hour, in, "until the next candidate is due")
	in, _ = e.next(t, repo.Ages{})
	require.LessOrEqual(t, in, time.Duration(0))
	e.markEnqueued(t, repo.FromRows, young)
	_, found = e.next(t, ages)
	require.False(t, found)

	e.sweep(t, repo.FromVectors, object("v", 0, 0))
	in, found = e.next(t, ages)
	require.True(t, found)
	near(t, time.Hour, in, "until the vectors are due")
	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromVectors, Store: "server", Reason: "r", Found: 1, Total: 1})
	_, found = e.next(t, ages)
	require.False(t, found, "what is held is due when it is let go")
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, err := e.DB.ConfirmHold(ctx, tx, "h", nil)
		require.NoError(t, err)
	})
	_, found = e.next(t, ages)
	require.True(t, found)
	e.file(t, row{"id": "v"})
	_, found = e.next(t, ages)
	require.False(t, found)
}

// nextIsTheFirst: of many that were found before, and are young.
func nextIsTheFirst(t *testing.T, e Engine) {
	ages := repo.Ages{Min: 10 * time.Hour, Orphan: time.Hour}
	for range repo.FirstDue + 1 {
		e.file(t, aged(2*time.Hour))
	}
	e.begin(t)
	e.Exec(t, `UPDATE `+e.Own("candidate")+` SET first_seen = $1`, e.Moment(time.Now().Add(-30*time.Minute)))
	in, _ := e.next(t, ages)
	near(t, 8*time.Hour, in, "until the young are due")
	e.file(t, aged(20*time.Hour))
	e.begin(t)
	in, _ = e.next(t, ages)
	near(t, time.Hour, in, "until what is old is due")
	ages.Pending = 5 * time.Hour
	e.Exec(t, `UPDATE file SET data = '{"status":"processing"}' WHERE created_at > $1`, time.Now().Add(-3*time.Hour).Unix())
	ages.Min = time.Minute
	in, _ = e.next(t, ages)
	near(t, time.Hour, in, "until what is not in flight is due, after all that could be before it")
}
