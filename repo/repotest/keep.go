package repotest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// keepCases are about files that somebody keeps.
var keepCases = map[string]func(*testing.T, Engine){
	"keep: a kept file is referenced, and no candidate":   keepIsAReference,
	"keep: it ends by the database's clock":               keepEnds,
	"keep: what has no row cannot be kept":                keepNeedsARow,
	"keep: it is listed, replaced and removed":            keepIsListed,
	"keep: a keep that races a batch is seen, or refused": keepRacesABatch,
	"keep: a restored file is kept in one transaction":    keepJoinsARestore,
}

func (e Engine) keep(t testing.TB, id string, lasts time.Duration, note string) (kept bool) {
	t.Helper()
	kept, err := e.DB.KeepFile(background(), nil, id, lasts, note)
	require.NoError(t, err)
	return kept
}

func (e Engine) listKeeps(t testing.TB, ids ...string) []repo.Keep {
	t.Helper()
	list, err := e.DB.ListKeeps(background(), ids)
	require.NoError(t, err)
	return list
}

func keepIsAReference(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids...)
	require.True(t, e.keep(t, ids[0], 0, "a note"))
	require.True(t, e.keep(t, ids[1], time.Hour, ""))
	e.settle(t, ids...)
	found := e.look(t, ids...)
	require.Empty(t, found.Unknown)
	require.Equal(t, map[string]repo.Reference{ids[0]: {Table: repo.KeptByHand, Row: ids[0]}, ids[1]: {Table: repo.KeptByHand, Row: ids[1]}}, found.Referenced)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[2])
	was, err := e.DB.RemoveKeep(background(), ids[0])
	require.NoError(t, err)
	require.True(t, was)
	e.free(t, ids[0], ids[2])
	e.begin(t)
	near(t, 0, time.Since(e.requireCandidates(t, repo.FromRows, ids[0], ids[2])[ids[0]].Since), "its grace starts anew")
}

// keepEnds: one of the future, by a clock that was ahead, was made now.
func keepEnds(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	for _, id := range ids {
		require.True(t, e.keep(t, id, time.Hour, ""))
	}
	for i, at := range []time.Time{time.Now().Add(-2 * time.Hour), time.Now().Add(48 * time.Hour)} {
		e.Exec(t, `UPDATE `+e.Own("keep")+` SET made_at = $1 WHERE file_id = $2`, e.Moment(at), ids[i])
	}
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[0])
	e.settle(t, ids...)
	require.NotContains(t, e.look(t, ids...).Referenced, ids[0])
	require.Len(t, e.listKeeps(t), 2)
	require.EqualValues(t, 3, e.Count(t, `SELECT count(*) FROM `+e.Own("keep")))
	require.NoError(t, e.DB.ExpireOld(background(), 0))
	require.EqualValues(t, 2, e.Count(t, `SELECT count(*) FROM `+e.Own("keep")))
	near(t, time.Hour, time.Until(*e.listKeeps(t, ids[1])[0].Until), "until it ends")
}

func keepNeedsARow(t *testing.T, e Engine) {
	require.False(t, e.keep(t, "nobody", 0, ""))
	id := e.file(t, nil)
	require.True(t, e.keep(t, id, 0, ""))
	e.Exec(t, `DELETE FROM file WHERE id = $1`, id)
	require.False(t, e.keep(t, id, 0, "again"))
	require.Len(t, e.listKeeps(t), 1, "the row may come back from a backup")
}

func keepIsListed(t *testing.T, e Engine) {
	require.Empty(t, e.listKeeps(t))
	ids := e.files(t, 2)
	require.True(t, e.keep(t, ids[1], 0, "first"))
	require.True(t, e.keep(t, ids[0], time.Hour, "second \u00fc"))
	list := e.listKeeps(t)
	require.Len(t, list, 2)
	require.Equal(t, ids[1], list[0].FileID)
	require.Nil(t, list[0].Until)
	near(t, 0, time.Since(list[1].At), "kept")
	near(t, time.Hour, time.Until(*list[1].Until), "until it ends")
	require.Equal(t, "second \u00fc", list[1].Note)
	require.True(t, e.keep(t, ids[0], 0, "third"))
	one := e.listKeeps(t, ids[0], "nobody")
	require.Len(t, one, 1)
	require.Equal(t, "third", one[0].Note)
	require.Nil(t, one[0].Until)
	for _, want := range []bool{true, false} {
		was, err := e.DB.RemoveKeep(background(), ids[0])
		require.NoError(t, err)
		require.Equal(t, want, was)
	}
	require.Len(t, e.listKeeps(t), 1)
}

// keepRacesABatch: of another process's, which ends with the row and a keep, or with
// neither.
func keepRacesABatch(t *testing.T, e Engine) {
	const races = 60
	ids := e.files(t, races)
	e.settle(t, ids...)
	other := e.Departed(t)
	var ended int
	for _, id := range ids {
		var both sync.WaitGroup
		var kept, deleted bool
		both.Go(func() {
			require.NoError(t, e.DB.InTx(background(), nil, func(tx repo.Tx) (err error) {
				deleted, err = e.deleteUnlessFound(tx, id)
				return err
			}))
		})
		both.Go(func() {
			var err error
			kept, err = other.KeepFile(background(), nil, id, 0, "")
			require.NoError(t, err)
		})
		both.Wait()
		require.False(t, kept && deleted, "somebody was told that it stays")
		require.True(t, kept || deleted || e.exists(t, id))
		require.Equal(t, !deleted, e.exists(t, id))
		require.Equal(t, kept, len(e.listKeeps(t, id)) > 0)
		if deleted {
			ended++
		}
	}
	t.Logf("%d of %d were deleted first", ended, races)
}

// deleteUnlessFound is what a batch does.
func (e Engine) deleteUnlessFound(tx repo.Tx, id string) (deleted bool, err error) {
	ctx := background()
	locked, err := e.DB.Lock(ctx, tx, []string{id}, repo.Ages{})
	if err != nil || len(locked.Files) == 0 {
		return false, err
	}
	found, err := e.DB.FindIndexed(ctx, tx, []string{id})
	if _, referenced := found.Referenced[id]; err != nil || referenced || found.Unknown[id] {
		return false, err
	}
	if _, err = e.DB.Delete(ctx, tx, []string{id}, 0); err != nil {
		return false, err
	}
	late, err := e.DB.RecheckReferences(ctx, tx, found, []string{id}, nil)
	if err == nil && len(late.References) > 0 {
		err = errRefused
	}
	return err == nil, err
}

func keepJoinsARestore(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.discard(t, "e", time.Hour, id)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, found, err := e.DB.LockTrash(ctx, tx, id)
		require.NoError(t, err)
		require.True(t, found)
		_, err = e.DB.Restore(ctx, tx, id)
		require.NoError(t, err)
		kept, err := e.DB.KeepFile(ctx, tx, id, time.Hour, "restored")
		require.NoError(t, err)
		require.True(t, kept)
	})
	e.settle(t, id)
	require.Contains(t, e.look(t, id).Referenced, id)
}
