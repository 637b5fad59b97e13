package repotest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// confirmCases are about a part of what was held.
var confirmCases = map[string]func(*testing.T, Engine){
	"confirm: one direction of several":         confirmsOneDirection,
	"confirm: some candidates, the rest stays":  confirmsSome,
	"confirm: the rest ends with its last file": confirmedRestEnds,
}

func (e Engine) confirmSome(t testing.TB, h repo.Hold, ids ...string) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.ConfirmCandidates(ctx, tx, h, ids)) })
}

func (e Engine) unconfirmed(t testing.TB, d repo.Direction) (n int64) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		n, err = e.DB.CountUnconfirmed(ctx, tx, d)
		require.NoError(t, err)
	})
	return n
}

func (e Engine) holdBoth(t testing.TB) (rows, bytes repo.Hold) {
	t.Helper()
	rows = repo.Hold{ID: "h", Direction: repo.FromRows, Store: "database", Reason: "r", Found: 3, Total: 3}
	bytes = repo.Hold{ID: "h", Direction: repo.FromBytes, Store: "bucket", Reason: "r", Found: 2, Total: 2}
	e.hold(t, rows)
	e.hold(t, bytes)
	return rows, bytes
}

func confirmsOneDirection(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.sweep(t, repo.FromBytes, object("a", 1, 0), object("b", 1, 0))
	_, bytes := e.holdBoth(t)
	held, err := e.confirm(t, "h", repo.FromRows, repo.FromVectors)
	require.NoError(t, err)
	require.Len(t, held, 1)
	require.Equal(t, []repo.Hold{bytes}, e.holds(t))
	require.True(t, e.candidates(t, repo.FromRows, repo.Ages{})[ids[0]].Confirmed)
	require.False(t, e.candidates(t, repo.FromBytes, repo.Ages{})["a"].Confirmed)
	require.False(t, e.bound(t, "bucket"))
	require.EqualValues(t, 2, e.unconfirmed(t, repo.FromBytes), "whoever chose one meant the other to stay")
	_, err = e.confirm(t, "h", repo.FromRows)
	require.ErrorIs(t, err, repo.ErrNoHold)
	_, err = e.confirm(t, "h", repo.FromBytes)
	require.NoError(t, err)
	require.Empty(t, e.holds(t))
}

func confirmsSome(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.sweep(t, repo.FromBytes, object("a", 1, 0), object("b", 1, 0))
	rows, bytes := e.holdBoth(t)
	require.Zero(t, e.unconfirmed(t, repo.FromRows), "nobody chose")
	late := e.file(t, nil)
	e.sweep(t, repo.FromBytes, object("a", 1, 0), object("b", 1, 0))
	e.confirmSome(t, bytes, "a")
	require.EqualValues(t, 3, e.unconfirmed(t, repo.FromRows), "whoever chose some of one direction meant the others to stay")
	e.confirmSome(t, rows, ids[0], ids[1], late, "nobody")
	require.Equal(t, []repo.Hold{bytes, rows}, sortHolds(e.holds(t)))
	require.True(t, e.bound(t, "bucket"))
	candidates := e.requireCandidates(t, repo.FromRows, append(ids, late)...)
	for _, id := range ids[:2] {
		require.True(t, candidates[id].Confirmed)
		require.Equal(t, "h", candidates[id].ConfirmedBy)
		require.False(t, candidates[id].Held)
	}
	require.True(t, candidates[ids[2]].Held)
	require.True(t, candidates[late].Held, "nobody was shown it")
	require.EqualValues(t, 1, e.unconfirmed(t, repo.FromRows))
	require.EqualValues(t, 1, e.unconfirmed(t, repo.FromBytes))
	require.Zero(t, e.unconfirmed(t, repo.FromVectors))
	_, found, err := e.DB.FindConfirmation(background(), "h")
	require.NoError(t, err)
	require.True(t, found)

	// Held on, what came since is shown as well, and confirmed with the rest.
	e.hold(t, rows)
	require.EqualValues(t, 2, e.unconfirmed(t, repo.FromRows))
	_, err = e.confirm(t, "h")
	require.NoError(t, err)
	require.Zero(t, e.unconfirmed(t, repo.FromRows))
	for _, c := range e.requireCandidates(t, repo.FromRows, append(ids, late)...) {
		require.True(t, c.Confirmed)
	}
}

func sortHolds(holds []repo.Hold) []repo.Hold {
	if len(holds) == 2 && holds[0].Direction == repo.FromRows {
		holds[0], holds[1] = holds[1], holds[0]
	}
	return holds
}

func confirmedRestEnds(t *testing.T, e Engine) {
	ids := e.files(t, 2)
	e.begin(t)
	rows, _ := e.holdBoth(t)
	e.confirmSome(t, rows, ids[0])
	require.EqualValues(t, 1, e.unconfirmed(t, repo.FromRows))
	e.insert(t, "note", row{"title": ids[1]})
	e.begin(t)
	require.Zero(t, e.unconfirmed(t, repo.FromRows), "it came into use")
	require.True(t, e.candidates(t, repo.FromRows, repo.Ages{})[ids[0]].Confirmed)
}
