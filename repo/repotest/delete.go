package repotest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

func (e Engine) exists(t testing.TB, id string) bool {
	t.Helper()
	return e.Count(t, `SELECT count(*) FROM file WHERE id = $1`, id) > 0
}

// deleteTakesLinks: what is deleted is told, its links go along, and nothing
// else does.
func deleteTakesLinks(t *testing.T, e Engine) {
	e.parents(t)
	ids := append(e.files(t, 2), e.file(t, row{"path": nil}))
	tables := []string{"chat_file", "channel_file", "knowledge_file"}
	for _, id := range ids {
		for _, table := range tables {
			e.insert(t, table, row{"file_id": id})
		}
	}
	e.startClocks(t, ids...)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		deleted, err := e.DB.Delete(ctx, tx, ids[1:], 0)
		require.NoError(t, err)
		require.ElementsMatch(t, []repo.Deleted{
			{ID: ids[1], Path: "/data/uploads/" + ids[1] + "_report.pdf"}, {ID: ids[2]},
		}, deleted)
	})
	require.True(t, e.exists(t, ids[0]))
	require.False(t, e.exists(t, ids[1]))
	for _, table := range tables {
		require.EqualValues(t, 1, e.Count(t, `SELECT count(*) FROM `+table), table)
	}
	locked := e.lock(t, repo.Ages{}, ids...)
	require.Equal(t, ids[1:], locked.Gone)
	require.True(t, locked.Files[0].HasGrace)
	// The same id again is another file, without a clock.
	e.file(t, row{"id": ids[1]})
	require.False(t, e.lock(t, repo.Ages{}, ids[1]).Files[0].HasGrace)
}

// deleteTakesAll: fewer rows than ids fails for good, and nothing is deleted.
func deleteTakesAll(t *testing.T, e Engine) {
	id := e.file(t, nil)
	err := e.DB.InTx(background(), nil, func(tx repo.Tx) error {
		_, err := e.DB.Delete(background(), tx, []string{id, "gone"}, 0)
		return err
	})
	require.Error(t, err)
	require.Equal(t, repo.Permanent, repo.KindOf(err))
	require.True(t, e.exists(t, id))
}

// lookAgainFinds: what somebody else commits between the look and the end.
func lookAgainFinds(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	literal := e.file(t, row{"id": "some.plugin.file"})
	e.refresh(t)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		locked, err := e.DB.Lock(ctx, tx, append(slices.Clone(ids), literal, "gone", "gone for good"), repo.Ages{})
		require.NoError(t, err)
		require.Len(t, locked.Gone, 2)
		look, err := e.DB.FindReferences(ctx, tx, append(slices.Clone(ids), literal))
		require.NoError(t, err)
		require.Empty(t, look.Referenced)

		e.insert(t, "note", row{"title": "now " + ids[1]})
		e.insert(t, "prompt", row{"content": "use /api/v1/files/SOME.plugin.file/content"})
		e.file(t, row{"id": "gone"})
		appeared, err := e.DB.RecheckReferences(ctx, tx, look, append(slices.Clone(ids), literal), locked.Gone)
		require.NoError(t, err)
		require.Len(t, appeared.References, 3)
		require.Equal(t, "note", appeared.References[ids[1]].Table)
		require.Equal(t, "prompt", appeared.References[literal].Table)
		require.Equal(t, "file", appeared.References["gone"].Table)
	})
}

// lookAgainIgnoresOwn: rows of our own transaction are no mentions, what
// somebody else committed meanwhile is one.
func lookAgainIgnoresOwn(t *testing.T, e Engine) {
	ids := e.files(t, 2)
	e.refresh(t)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, err := e.DB.Lock(ctx, tx, ids, repo.Ages{})
		require.NoError(t, err)
		look, err := e.DB.FindReferences(ctx, tx, ids)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, `INSERT INTO `+e.Table("note")+` (id, user_id, title, created_at, updated_at) VALUES ('own', 'u', $1, 1, 1)`, ids[0])
		require.NoError(t, err)
		e.insert(t, "note", row{"title": ids[1]})
		appeared, err := e.DB.RecheckReferences(ctx, tx, look, ids, nil)
		require.NoError(t, err)
		require.Len(t, appeared.References, 1)
		require.Contains(t, appeared.References, ids[1])
	})
}

// ledgerTells: every deletion stays told, with what became of it afterwards.
func ledgerTells(t *testing.T, e Engine) {
	entries := []repo.Entry{
		{FileID: "a", Path: "/p/a", Outcome: "deleted", EventID: "1", Source: "sweep", Reason: "r"},
		{FileID: "b", Outcome: "gone", EventID: "2", Source: "cli"},
		{FileID: "a", Path: "/p/a2", Outcome: "deleted", EventID: "3", Source: "sweep"},
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.RecordEntries(ctx, tx, entries))
		require.NoError(t, e.DB.Settle(ctx, tx, repo.Settlement{Notes: []repo.Note{{FileID: "a", Text: "first"}, {FileID: "a", Text: "outside of the store"}}}))
	})
	failed := errors.New("no")
	require.ErrorIs(t, e.DB.InTx(background(), nil, func(tx repo.Tx) error {
		require.NoError(t, e.DB.RecordEntries(background(), tx, []repo.Entry{{FileID: "c", Outcome: "deleted"}}))
		return failed
	}), failed)
	entries[2].Note = "outside of the store"
	require.Equal(t, entries, e.ledger(t, ""))
	require.Equal(t, entries[1:2], e.ledger(t, "b"))
	require.Empty(t, e.ledger(t, "c"))
}

func (e Engine) ledger(t testing.TB, id string) (entries []repo.Entry) {
	t.Helper()
	for entry, err := range e.DB.ReadLedger(background(), id) {
		require.NoError(t, err)
		require.False(t, entry.At.IsZero())
		entry.At = time.Time{}
		entries = append(entries, entry)
	}
	return entries
}
