package repotest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

type tx = repo.Tx

var errRefused = errors.New("refused by the caller")

// touch changes the row of a file in a transaction.
func (e Engine) touch(ctx context.Context, t testing.TB, tx repo.Tx, id, name string) {
	t.Helper()
	n, err := tx.Exec(ctx, `UPDATE `+e.Table("file")+` SET filename = $1 WHERE id = $2`, name, id)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func (e Engine) named(t testing.TB, id, name string) bool {
	t.Helper()
	return e.Count(t, `SELECT count(*) FROM file WHERE id = $1 AND filename = $2`, id, name) == 1
}

// joinsTransaction: what joins a transaction neither commits nor rolls it back,
// whether it fails or not.
func joinsTransaction(t *testing.T, e Engine) {
	id, ctx := e.file(t, nil), background()
	require.NoError(t, e.DB.InTx(ctx, nil, func(outer repo.Tx) error {
		require.ErrorIs(t, e.DB.InTx(ctx, outer, func(inner repo.Tx) error {
			require.Equal(t, outer, inner)
			e.touch(ctx, t, inner, id, "by the one that failed")
			return errRefused
		}), errRefused)
		// Not rolled back: what it did is there.
		locked, err := e.DB.Lock(ctx, outer, []string{id}, repo.Ages{})
		require.NoError(t, err)
		require.Len(t, locked.Files, 1)
		return nil
	}))
	require.True(t, e.named(t, id, "by the one that failed"))

	require.ErrorIs(t, e.DB.InTx(ctx, nil, func(outer repo.Tx) error {
		require.NoError(t, e.DB.InTx(ctx, outer, func(inner repo.Tx) error {
			e.touch(ctx, t, inner, id, "by the one that succeeded")
			return nil
		}))
		// Not committed: the caller may still refuse.
		return errRefused
	}), errRefused)
	require.True(t, e.named(t, id, "by the one that failed"))
}

// opensTransaction: nothing commits but what fn accepts.
func opensTransaction(t *testing.T, e Engine) {
	id, ctx := e.file(t, nil), background()
	require.ErrorIs(t, e.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		e.touch(ctx, t, tx, id, "refused")
		return errRefused
	}), errRefused)
	require.True(t, e.named(t, id, "report.pdf"))
	require.NoError(t, e.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		e.touch(ctx, t, tx, id, "accepted")
		return nil
	}))
	require.True(t, e.named(t, id, "accepted"))
}

// rollbackIgnoresCancellation: whoever gives up leaves no lock behind.
func rollbackIgnoresCancellation(t *testing.T, e Engine) {
	id := e.file(t, nil)
	ctx, cancel := context.WithCancel(background())
	require.ErrorIs(t, e.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		e.touch(ctx, t, tx, id, "given up")
		cancel()
		return errRefused
	}), errRefused)
	require.Len(t, e.lock(t, repo.Ages{}, id).Files, 1)
	require.True(t, e.named(t, id, "report.pdf"))

	require.Error(t, e.DB.InTx(ctx, nil, func(repo.Tx) error { return nil }))
}

// panicRollsBack: neither a lock nor a session is left behind.
func panicRollsBack(t *testing.T, e Engine) {
	id, ctx := e.file(t, nil), background()
	for range 20 { // more than there are sessions
		require.Panics(t, func() {
			_ = e.DB.InTx(ctx, nil, func(tx repo.Tx) error {
				e.touch(ctx, t, tx, id, "in panic")
				panic("a fault of ours")
			})
		})
	}
	require.Len(t, e.lock(t, repo.Ages{}, id).Files, 1)
	require.True(t, e.named(t, id, "report.pdf"))
}
