package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

func (e Engine) hold(t testing.TB, h repo.Hold) (held repo.Hold) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		held, err = e.DB.SetHold(ctx, tx, h)
		require.NoError(t, err)
	})
	return held
}

// holds are what is held, without the times of it.
func (e Engine) holds(t testing.TB) []repo.Hold {
	t.Helper()
	held, err := e.DB.ListHolds(background())
	require.NoError(t, err)
	for i, h := range held {
		near(t, 0, time.Since(h.At), "held")
		near(t, 0, time.Since(h.ShownAt), "shown")
		held[i].At, held[i].ShownAt = time.Time{}, time.Time{}
	}
	return held
}

func (e Engine) bound(t testing.TB, store string) (bound bool) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		_, bound, err = e.DB.StoreApproval(ctx, tx, store)
		require.NoError(t, err)
	})
	return bound
}

func (e Engine) confirm(t testing.TB, id string, only ...repo.Direction) (held []repo.Hold, err error) {
	t.Helper()
	ctx := background()
	err = e.DB.InTx(ctx, nil, func(tx repo.Tx) (err error) {
		held, err = e.DB.ConfirmHold(ctx, tx, id, only)
		return err
	})
	return held, err
}

// heldStaysHeld under its first id, and is brought up to date.
func heldStaysHeld(t *testing.T, e Engine) {
	require.Empty(t, e.holds(t))
	rows := repo.Hold{ID: "first", Direction: repo.FromRows, Store: "database", Reason: "too many", Found: 30, Total: 100}
	first := e.hold(t, rows)
	near(t, 0, time.Since(first.At), "held")
	near(t, 0, time.Since(first.ShownAt), "shown")
	at, shown := first.At, first.ShownAt
	first.At, first.ShownAt = time.Time{}, time.Time{}
	require.Equal(t, rows, first)
	bytes := repo.Hold{ID: "second", Direction: repo.FromBytes, Store: "s3://bucket", Reason: "new", Found: 1, Total: 2}
	e.hold(t, bytes)
	rows.Found, rows.Total, rows.Reason = 40, 90, "still too many"
	again := e.hold(t, repo.Hold{ID: "third", Direction: rows.Direction, Store: rows.Store, Reason: rows.Reason, Found: 40, Total: 90})
	require.True(t, again.At.Equal(at))
	require.True(t, again.ShownAt.After(shown))
	require.Equal(t, "first", again.ID)
	require.Equal(t, []repo.Hold{rows, bytes}, e.holds(t))

	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.ClearHold(ctx, tx, repo.FromRows))
		require.NoError(t, e.DB.ClearHold(ctx, tx, repo.FromVectors))
	})
	require.Equal(t, []repo.Hold{bytes}, e.holds(t))
}

// heldElsewhereIsTold: until it is let go there.
func heldElsewhereIsTold(t *testing.T, e Engine) {
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromVectors, object("both", 0, 0), object("v", 0, 0))
	e.mark(t, sweep, repo.FromBytes, object("both", 1, 0), object("b", 1, 0))
	held := func(d repo.Direction, want ...string) {
		t.Helper()
		got := []string{}
		for id, c := range e.candidates(t, d, repo.Ages{}) {
			if c.Held {
				got = append(got, id)
			}
		}
		require.ElementsMatch(t, want, got)
	}
	held(repo.FromBytes)
	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromVectors, Store: "server", Reason: "r", Found: 2, Total: 2})
	held(repo.FromBytes, "both")
	held(repo.FromVectors, "both", "v")
	e.markEnqueued(t, repo.FromBytes, "b")
	_, found := e.next(t, repo.Ages{})
	require.False(t, found, "nothing becomes due")
	_, err := e.confirm(t, "h")
	require.NoError(t, err)
	held(repo.FromBytes)
	_, found = e.next(t, repo.Ages{})
	require.True(t, found)

	// Held again for what came since, it no more holds what was let go.
	sweep = e.begin(t)
	e.mark(t, sweep, repo.FromVectors, object("both", 0, 0), object("b", 0, 0))
	e.mark(t, sweep, repo.FromBytes, object("both", 1, 0), object("b", 1, 0))
	e.hold(t, repo.Hold{ID: "i", Direction: repo.FromVectors, Store: "server", Reason: "r", Found: 1, Total: 2})
	held(repo.FromBytes, "b")
}

// anotherStoreIsNew: what was seen, reported and let go in the store of other settings
// is none of the new one's, and what was held there holds nothing here.
func anotherStoreIsNew(t *testing.T, e Engine) {
	sweepOf := func(store string, ids ...string) {
		t.Helper()
		sweep := e.begin(t)
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			for _, id := range ids {
				require.NoError(t, e.DB.UpsertListed(ctx, tx, sweep, repo.FromBytes, store, []repo.Listed{object(id, 1, 0)}))
			}
			require.NoError(t, e.DB.DropStale(ctx, tx, sweep, repo.FromBytes))
		})
	}
	found := func() map[string]repo.Candidate { return e.candidates(t, repo.FromBytes, repo.Ages{}) }
	hold := func(id, store string) {
		t.Helper()
		e.hold(t, repo.Hold{ID: id, Direction: repo.FromBytes, Store: store, Reason: "r", Found: 2, Total: 2})
	}
	sweepOf("old", "a", "b")
	hold("first", "old")
	old := found()["a"]
	require.True(t, old.Held)
	e.markEnqueued(t, repo.FromBytes, "a")
	sweepOf("new", "a")
	a := found()["a"]
	require.True(t, a.Since.After(old.Since))
	require.Zero(t, a.EnqueuedFor)
	require.False(t, a.Held, "what was held was another store's")
	_, waiting := e.next(t, repo.Ages{})
	require.True(t, waiting)

	_, err := e.confirm(t, "first")
	require.NoError(t, err)
	require.False(t, found()["a"].Confirmed, "nobody was shown this")
	require.True(t, e.bound(t, "old"))
	require.False(t, e.bound(t, "new"))

	hold("second", "new")
	_, err = e.confirm(t, "second")
	require.NoError(t, err)
	require.True(t, found()["a"].Confirmed)
	sweepOf("old", "a")
	require.False(t, found()["a"].Confirmed, "nor is it in the old one any more")

	// A hold of an earlier store ends with the first of the new one.
	hold("third", "old")
	hold("fourth", "new")
	require.Len(t, e.holds(t), 1)
	_, err = e.confirm(t, "third")
	require.ErrorIs(t, err, repo.ErrNoHold)
}

// foldersAreCandidates of their own, in the store that has vectors too: none is ever waited
// for, and what is held and let go there is so nowhere else.
func foldersAreCandidates(t *testing.T, e Engine) {
	a, b, c := uuid.NewString(), uuid.NewString(), uuid.NewString()
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromVectors, object("v", 0, 0))
	e.mark(t, sweep, repo.FromFolders, object(a, 7, 0), object(b, 8, 0))
	e.markEnqueued(t, repo.FromVectors, "v")
	_, found := e.next(t, repo.Ages{})
	require.False(t, found)
	require.Equal(t, repo.CandidateCount{Total: 9, Found: 2}, e.census(t, repo.FromFolders, repo.Ages{}, 9))
	folders := e.requireCandidates(t, repo.FromFolders, a, b)
	require.EqualValues(t, 8, folders[b].Size)
	require.Positive(t, e.candidates(t, repo.FromFolders, repo.Ages{Orphan: time.Hour})[a].DueIn, "it is to be seen for a while")

	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromFolders, Store: "server", Reason: "r", Found: 2, Total: 9})
	e.mark(t, e.begin(t), repo.FromFolders, object(a, 7, 0), object(c, 9, 0))
	folders = e.requireCandidates(t, repo.FromFolders, a, c)
	require.True(t, folders[a].Held && folders[c].Held)
	require.False(t, e.requireCandidates(t, repo.FromVectors, "v")["v"].Held)
	_, err := e.confirm(t, "h")
	require.NoError(t, err)
	folders = e.requireCandidates(t, repo.FromFolders, a, c)
	require.True(t, folders[a].Confirmed)
	require.False(t, folders[c].Confirmed, "nobody was shown this")
	require.False(t, e.requireCandidates(t, repo.FromVectors, "v")["v"].Confirmed)
	require.Equal(t, repo.CandidateCount{Total: 9, Found: 1}, e.census(t, repo.FromFolders, repo.Ages{}, 9))

	e.hold(t, repo.Hold{ID: "i", Direction: repo.FromFolders, Store: "server", Reason: "r", Found: 1, Total: 9})
	folders = e.requireCandidates(t, repo.FromFolders, a, c)
	require.False(t, folders[a].Held)
	require.True(t, folders[c].Held)
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.ClearHold(ctx, tx, repo.FromFolders)) })
	require.False(t, e.requireCandidates(t, repo.FromFolders, a, c)[c].Held)
}

// confirmedGoes: what was shown, in all directions of the held sweep, and nothing
// that is found later or in another.
func confirmedGoes(t *testing.T, e Engine) {
	_, err := e.confirm(t, "none")
	require.ErrorIs(t, err, repo.ErrNoHold)
	_, found, err := e.DB.FindConfirmation(background(), "h")
	require.NoError(t, err)
	require.False(t, found)
	ids := e.files(t, 2)
	used := e.file(t, nil)
	e.insert(t, "note", row{"title": used})
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromBytes, object("a", 1, 0))
	e.mark(t, sweep, repo.FromVectors, object("a", 0, 0))
	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromRows, Store: "database", Reason: "r", Found: 2, Total: 3})
	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromBytes, Store: "bucket", Reason: "r", Found: 1, Total: 1})
	e.hold(t, repo.Hold{ID: "other", Direction: repo.FromVectors, Store: "server", Reason: "r", Found: 1, Total: 1})
	late := e.file(t, nil)
	e.Exec(t, `DELETE FROM note`)
	e.begin(t)
	require.False(t, e.bound(t, "bucket"))

	held, err := e.confirm(t, "h")
	require.NoError(t, err)
	require.Len(t, held, 2)
	require.True(t, e.bound(t, "bucket"))
	require.False(t, e.bound(t, "server"))
	require.Len(t, e.holds(t), 1)
	rows := e.requireCandidates(t, repo.FromRows, ids[0], ids[1], used, late)
	require.True(t, rows[ids[0]].Confirmed && rows[ids[1]].Confirmed)
	require.Equal(t, "h", rows[ids[0]].ConfirmedBy)
	require.Empty(t, rows[late].ConfirmedBy)
	at, found, err := e.DB.FindConfirmation(background(), "h")
	require.NoError(t, err)
	require.True(t, found)
	near(t, 0, time.Since(at), "confirmed")
	require.False(t, rows[used].Confirmed || rows[late].Confirmed, "nobody was shown these")
	require.True(t, e.candidates(t, repo.FromBytes, repo.Ages{})["a"].Confirmed)
	require.False(t, e.candidates(t, repo.FromVectors, repo.Ages{})["a"].Confirmed)
	require.Equal(t, repo.CandidateCount{Total: 4, Found: 2}, e.census(t, repo.FromRows, repo.Ages{}, 0))
	require.Zero(t, e.census(t, repo.FromBytes, repo.Ages{}, 1).Found)
	_, err = e.confirm(t, "h")
	require.ErrorIs(t, err, repo.ErrNoHold)

	// A later sweep that still finds it lets it go, one that does not forgets it.
	e.sweep(t, repo.FromBytes, object("a", 1, 0))
	require.True(t, e.candidates(t, repo.FromBytes, repo.Ages{})["a"].Confirmed)
	e.insert(t, "note", row{"title": ids[0]})
	e.begin(t)
	e.Exec(t, `DELETE FROM note`)
	e.begin(t)
	require.False(t, e.candidates(t, repo.FromRows, repo.Ages{})[ids[0]].Confirmed)
}

// barrenIsTold: files and chats without a mention, stores beside no file.
func barrenIsTold(t *testing.T, e Engine) {
	barren := func(d repo.Direction, listed int64) (why string) {
		t.Helper()
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			var err error
			why, err = e.DB.CheckSanity(ctx, tx, d, listed)
			require.NoError(t, err)
		})
		return why
	}
	e.refresh(t)
	for _, d := range []repo.Direction{repo.FromVectors, repo.FromBytes} {
		require.NotEmpty(t, barren(d, 1))
		require.Empty(t, barren(d, 0))
	}
	require.Empty(t, barren(repo.FromRows, 0))
	id := e.file(t, nil)
	e.begin(t)
	require.Empty(t, barren(repo.FromBytes, 1))
	require.Empty(t, barren(repo.FromRows, 0), "there may be no chats yet")
	e.insert(t, "chat", row{"chat": `{}`})
	e.begin(t)
	require.NotEmpty(t, barren(repo.FromRows, 0))
	require.Empty(t, barren(repo.FromVectors, 1))
	e.insert(t, "note", row{"title": id})
	e.begin(t)
	require.Empty(t, barren(repo.FromRows, 0))
	e.Exec(t, `DELETE FROM note`)
	e.begin(t)
	require.NotEmpty(t, barren(repo.FromRows, 0), "what mentioned it is gone")
	e.file(t, nil)
	e.insert(t, "note", row{"title": uuid.NewString()})
	e.begin(t)
	require.NotEmpty(t, barren(repo.FromRows, 0), "another file's id, that has no row")
}

// oneLeads for as long as it said, unless it resigns.
func oneLeads(t *testing.T, e Engine) {
	lead := func(holder string, ttl time.Duration) bool {
		t.Helper()
		got, err := e.DB.AcquireLease(background(), holder, ttl)
		require.NoError(t, err)
		return got
	}
	resign := func(holder string) { require.NoError(t, e.DB.ReleaseLease(background(), holder)) }
	resign("a")
	require.True(t, lead("a", time.Hour))
	require.True(t, lead("a", time.Hour))
	require.False(t, lead("b", time.Hour))
	resign("b")
	require.False(t, lead("b", time.Hour))
	resign("a")
	require.True(t, lead("b", time.Hour))
	require.False(t, lead("a", time.Hour))
	require.True(t, lead("b", 0), "and ends at once")
	require.True(t, lead("a", time.Hour))
}

// oldIsRetired: the ledger, and what no sweep sees any more.
func oldIsRetired(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{{FileID: "a", Outcome: "deleted"}}))
	})
	e.sweep(t, repo.FromBytes, object("a", 1, 0))
	e.hold(t, repo.Hold{ID: "h", Direction: repo.FromVectors, Store: "server", Reason: "r", Found: 1, Total: 1})
	_, err := e.confirm(t, "h")
	require.NoError(t, err)
	confirmed := func() bool {
		_, found, err := e.DB.FindConfirmation(background(), "h")
		require.NoError(t, err)
		return found
	}
	for _, keep := range []time.Duration{0, time.Hour} {
		require.NoError(t, e.DB.ExpireOld(background(), keep))
		require.Len(t, e.ledger(t, ""), 1)
		require.True(t, confirmed())
		e.requireCandidates(t, repo.FromBytes, "a")
	}
	require.NoError(t, e.DB.ExpireOld(background(), time.Nanosecond))
	require.Empty(t, e.ledger(t, ""))
	require.False(t, confirmed())
	e.requireCandidates(t, repo.FromBytes)
	e.requireCandidates(t, repo.FromRows, id)
}
