package repotest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// leftoverSweepCases are what every engine promises to sweeps of collections and points.
var leftoverSweepCases = map[string]func(*testing.T, Engine){
	"leftovers: table file says nothing":            fileSaysNothing,
	"leftovers: they are due":                       leftoversAreDue,
	"leftovers: a collection that grew is young":    grownIsYoung,
	"leftovers: they are held alone":                leftoversAreHeld,
	"leftovers: without users nothing is believed":  withoutUsers,
	"leftovers: tombstones of them are carried out": leftoverTombstones,
}

// seenAgo makes candidates of a direction known for so long.
func (e Engine) seenAgo(t testing.TB, d repo.Direction, age time.Duration, ids ...string) {
	t.Helper()
	for _, id := range ids {
		require.EqualValues(t, 1, e.Exec(t, `UPDATE `+e.Own("candidate")+` SET first_seen = $1 WHERE direction = $2 AND file_id = $3`,
			e.Moment(time.Now().Add(-age)), string(d), id))
	}
}

// fileSaysNothing of collections and points, whatever ids its rows have. What waits in a
// tombstone of the same kind is dealt with.
func fileSaysNothing(t *testing.T, e Engine) {
	id, long := e.file(t, nil), strings.Repeat("x", 1000)+"/"+strings.Repeat("y", 23)
	e.entomb(t, repo.Tombstone{Kind: repo.Collection, FileID: "buried", Delay: time.Hour},
		repo.Tombstone{Kind: repo.Points, FileID: "c/buried", Delay: time.Hour},
		repo.Tombstone{Kind: repo.Vectors, FileID: "other", Delay: time.Hour}, repo.Tombstone{Kind: repo.Collection, FileID: "c/other"})
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromCollections, object(id, 0, 0), object(strings.ToUpper(id), 0, 0), object("buried", 0, 0),
		repo.Listed{FileID: "other", Chunks: 7}, repo.Listed{FileID: "other", Chunks: 1}, object("c/buried", 0, 0))
	e.mark(t, sweep, repo.FromPoints, object("c/"+id, 0, 0), object("c/buried", 0, 0), object("c/other", 0, 0), object(long, 0, 0))
	found := e.requireCandidates(t, repo.FromCollections, id, strings.ToUpper(id), "other", "c/buried")
	require.EqualValues(t, 8, found["other"].Chunks)
	e.requireCandidates(t, repo.FromPoints, "c/"+id, "c/other", long)
	require.Equal(t, repo.CandidateCount{Total: 9, Found: 4}, e.census(t, repo.FromCollections, repo.Ages{}, 9))
	e.requireCandidates(t, repo.FromRows, id)
	e.requireCandidates(t, repo.FromVectors)

	e.sweep(t, repo.FromCollections, object(id, 0, 0))
	again := e.requireCandidates(t, repo.FromCollections, id)
	require.Equal(t, found[id].Since, again[id].Since)
	e.requireCandidates(t, repo.FromPoints, "c/"+id, "c/other", long)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.SetGrace(ctx, tx, repo.FromPoints, []string{long}, nil))
		require.NoError(t, e.DB.AddTombstones(ctx, tx, []repo.Tombstone{{Kind: repo.Points, FileID: long}}))
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{{FileID: long, Outcome: "deleted"}}))
	})
	require.Len(t, e.ledger(t, long), 1)
	require.Equal(t, long, e.due(t, repo.Points, 9)[0].FileID)
	e.sweep(t, repo.FromPoints, object(long, 0, 0))
	e.requireCandidates(t, repo.FromPoints)
}

// grownIsYoung: somebody pasted a text again, or searched for it, and has not saved yet what
// mentions its collection.
func grownIsYoung(t *testing.T, e Engine) {
	sweep := func() {
		e.sweep(t, repo.FromCollections, repo.Listed{FileID: "same", Chunks: 3}, repo.Listed{FileID: "grown", Chunks: 3})
	}
	sweep()
	e.seenAgo(t, repo.FromCollections, 9*time.Hour, "same", "grown")
	sweep()
	grace := func() (known map[string]time.Duration) {
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			var err error
			known, err = e.DB.ReadGrace(ctx, tx, repo.FromCollections, []string{"same", "grown"})
			require.NoError(t, err)
		})
		return known
	}
	near(t, 9*time.Hour, grace()["grown"], "as before")
	e.sweep(t, repo.FromCollections, repo.Listed{FileID: "same", Chunks: 3}, repo.Listed{FileID: "grown", Chunks: 4})
	near(t, 9*time.Hour, grace()["same"], "as before")
	near(t, 0, grace()["grown"], "its clock starts anew")
}

// leftoversAreDue when they are known for long enough by either age: events are published
// about them, so that they are waited for.
func leftoversAreDue(t *testing.T, e Engine) {
	for _, d := range []repo.Direction{repo.FromCollections, repo.FromPoints} {
		ages := repo.Ages{Min: 10 * time.Hour, Orphan: time.Hour, Pending: 99 * time.Hour}
		e.sweep(t, d, object("a", 0, 30*day), object("b", 0, 30*day))
		for _, ages := range []repo.Ages{ages, {Min: time.Hour, Orphan: 10 * time.Hour}} {
			found := e.candidates(t, d, ages)
			near(t, 0, found["a"].Age, "age")
			near(t, 10*time.Hour, found["a"].DueIn, "until it is due")
			in, waits := e.next(t, ages)
			require.True(t, waits)
			near(t, 10*time.Hour, in, "until the next is due")
		}
		require.Zero(t, e.census(t, d, ages, 2).Found)
		e.seenAgo(t, d, 6*time.Hour, "a")
		e.seenAgo(t, d, 11*time.Hour, "b")
		found := e.candidates(t, d, ages)
		near(t, 4*time.Hour, found["a"].DueIn, "until it is due")
		near(t, -time.Hour, found["b"].DueIn, "since it is due")
		near(t, 11*time.Hour, found["b"].Age, "age")
		require.Equal(t, repo.CandidateCount{Total: 2, Found: 1}, e.census(t, d, ages, 2))
		in, _ := e.next(t, ages)
		require.Negative(t, in)
		e.markEnqueued(t, d, "b")
		require.Positive(t, e.candidates(t, d, ages)["b"].EnqueuedFor)
		in, _ = e.next(t, ages)
		near(t, 4*time.Hour, in, "until the other is due")
		e.markEnqueued(t, d, "a")
		_, waits := e.next(t, ages)
		require.False(t, waits)
		e.sweep(t, d)
		e.requireCandidates(t, d)
	}
}

// leftoversAreHeld by their own direction alone, and hold nothing else.
func leftoversAreHeld(t *testing.T, e Engine) {
	sweep := e.begin(t)
	directions := []repo.Direction{repo.FromVectors, repo.FromCollections, repo.FromPoints}
	for _, d := range directions {
		e.mark(t, sweep, d, object("a", 0, 0), object("b", 0, 0))
	}
	held := func(d repo.Direction) bool {
		t.Helper()
		return e.requireCandidates(t, d, "a", "b")["a"].Held
	}
	for _, holds := range directions {
		e.hold(t, repo.Hold{ID: "h", Direction: holds, Store: "server", Reason: "r", Found: 2, Total: 2})
		for _, d := range directions {
			require.Equal(t, d == holds, held(d), "%s is held, and %s", holds, d)
		}
		e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.ClearHold(ctx, tx, holds)) })
		require.False(t, held(holds))
	}
	for _, d := range directions {
		e.hold(t, repo.Hold{ID: "i", Direction: d, Store: "server", Reason: "r", Found: 2, Total: 2})
	}
	_, waits := e.next(t, repo.Ages{})
	require.False(t, waits, "what is held is due when it is let go")
	e.mark(t, e.begin(t), repo.FromCollections, object("a", 0, 0), object("late", 0, 0))
	_, err := e.confirm(t, "i")
	require.NoError(t, err)
	found := e.requireCandidates(t, repo.FromCollections, "a", "late")
	require.True(t, found["a"].Confirmed)
	require.False(t, found["late"].Confirmed, "nobody was shown this")
	require.True(t, e.candidates(t, repo.FromPoints, repo.Ages{})["b"].Confirmed)
	require.Equal(t, repo.CandidateCount{Total: 2, Found: 1}, e.census(t, repo.FromCollections, repo.Ages{}, 2))
	e.hold(t, repo.Hold{ID: "j", Direction: repo.FromCollections, Store: "server", Reason: "r", Found: 1, Total: 2})
	found = e.requireCandidates(t, repo.FromCollections, "a", "late")
	require.False(t, found["a"].Held)
	require.True(t, found["late"].Held)
}

// withoutUsers: table user may be about to be filled, or be another application's.
func withoutUsers(t *testing.T, e Engine) {
	barren := func(d repo.Direction, listed int64) (why string) {
		t.Helper()
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			var err error
			why, err = e.DB.CheckSanity(ctx, tx, d, listed)
			require.NoError(t, err)
		})
		return why
	}
	for _, d := range []repo.Direction{repo.FromCollections, repo.FromPoints} {
		require.NotEmpty(t, barren(d, 1))
		require.Empty(t, barren(d, 0))
	}
	e.insert(t, "user", nil)
	for _, d := range []repo.Direction{repo.FromCollections, repo.FromPoints} {
		require.Empty(t, barren(d, 1), "there may be users without files")
	}
	require.NotEmpty(t, barren(repo.FromVectors, 1))
}

// leftoverTombstones: no row of table file speaks against them, but that rows are missing.
func leftoverTombstones(t *testing.T, e Engine) {
	id := e.file(t, row{"path": "/x/shared"})
	e.entomb(t, repo.Tombstone{Kind: repo.Collection, FileID: id}, repo.Tombstone{Kind: repo.Points, FileID: id + "/1"},
		repo.Tombstone{Kind: repo.Vectors, FileID: id}, repo.Tombstone{Kind: repo.Collection, FileID: "later", Delay: time.Hour})
	n, _ := e.backlog(t, repo.Collection, repo.Points)
	require.EqualValues(t, 3, n)
	due := append(e.due(t, repo.Collection, 9), e.due(t, repo.Points, 9)...)
	require.Equal(t, []string{id, id + "/1"}, fileIDs(due))
	asked := slices.Concat(due, e.due(t, repo.Vectors, 9))
	asked = append(asked, repo.Tombstone{Seq: 98, Kind: repo.Points, FileID: id, Name: "shared"}, repo.Tombstone{Seq: 99, Kind: repo.Bytes, FileID: "x", Name: "shared"})
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		living, err := e.DB.StillReferenced(ctx, tx, asked)
		require.NoError(t, err)
		require.Equal(t, map[int64]bool{asked[2].Seq: true, 99: true}, living)
		names, err := e.DB.PendingBlobs(ctx, tx, []string{id})
		require.NoError(t, err)
		require.Empty(t, names)
	})
	e.Exec(t, `DELETE FROM file`)
	require.ErrorIs(t, e.DB.InTx(background(), nil, func(tx repo.Tx) error {
		_, err := e.DB.StillReferenced(background(), tx, due)
		return err
	}), repo.ErrRowsMissing)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.Settle(ctx, tx, repo.Settlement{Done: []int64{due[0].Seq}, Retry: []repo.Retry{{Seq: due[1].Seq, Delay: time.Hour, Reason: "busy"}}}))
	})
	require.Empty(t, e.due(t, repo.Collection, 9))
	require.Empty(t, e.due(t, repo.Points, 9))
	n, _ = e.backlog(t, repo.Collection, repo.Points)
	require.EqualValues(t, 2, n)
}
