package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// trashCases are about rows that were deleted and may come back.
var trashCases = map[string]func(*testing.T, Engine){
	"trash: a row comes back as it was":                trashGivesBack,
	"trash: columns that came and went are told":       trashTellsColumns,
	"trash: a row that lives again stays as it is":     trashLeavesTheLiving,
	"trash: bytes that were claimed are told":          trashTellsClaims,
	"trash: entries are found by what is known":        trashIsFiltered,
	"trash: what was kept for long enough goes":        trashEnds,
	"trash: an emptied entry lets its bytes go":        trashIsEmptied,
	"trash: nothing is kept where nothing is to be":    trashIsOptional,
	"trash: what was deleted twice is kept as of last": trashKeepsLast,
}

// discard deletes files by an event as a transaction does, with a tombstone for each.
func (e Engine) discard(t testing.TB, event string, keep time.Duration, ids ...string) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		deleted, err := e.DB.Delete(ctx, tx, ids, keep)
		require.NoError(t, err)
		require.Len(t, deleted, len(ids))
		var tombstones []repo.Tombstone
		var entries []repo.Entry
		for _, d := range deleted {
			require.Equal(t, "/data/uploads/"+d.ID+"_report.pdf", d.Path)
			tombstones = append(tombstones, repo.Tombstone{Kind: repo.Bytes, FileID: d.ID, Name: d.ID + "_report.pdf", Delay: keep},
				repo.Tombstone{Kind: repo.Vectors, FileID: d.ID})
			entries = append(entries, repo.Entry{FileID: d.ID, Outcome: "deleted", EventID: event})
		}
		require.NoError(t, e.DB.AddTombstones(ctx, tx, tombstones))
		require.NoError(t, e.DB.RecordEntries(ctx, tx, entries))
	})
}

func (e Engine) trash(t testing.TB, f repo.TrashFilter) (ids []string) {
	t.Helper()
	list, err := e.DB.ListTrash(background(), f)
	require.NoError(t, err)
	for _, entry := range list {
		ids = append(ids, entry.FileID)
	}
	return ids
}

func (e Engine) restore(t testing.TB, id string) (r repo.Restored, err error) {
	t.Helper()
	err = e.DB.InTx(background(), nil, func(tx repo.Tx) error {
		_, found, err := e.DB.LockTrash(background(), tx, id)
		require.NoError(t, err)
		require.True(t, found)
		r, err = e.DB.Restore(background(), tx, id)
		return err
	})
	return r, err
}

// sameSQL counts the files that are as a copy of table file has them.
const sameSQL = `SELECT count(*) FROM file f JOIN before b ON f.id = b.id AND f.user_id = b.user_id AND f.filename = b.filename AND f.path = b.path
   AND CAST(f.data AS TEXT) = CAST(b.data AS TEXT) AND CAST(f.meta AS TEXT) = CAST(b.meta AS TEXT)
   AND f.created_at = b.created_at AND f.updated_at = b.updated_at AND coalesce(f.hash, '-') = coalesce(b.hash, '-')`

func trashGivesBack(t *testing.T, e Engine) {
	e.parents(t)
	plain := e.file(t, nil)
	odd := e.file(t, row{"filename": "it's \"odd\"\\ <&> \u2028 \U0001f4a9.pdf", "hash": "",
		"meta": `{"name": "a\u0000b \ud83d", "size": 4711,  "twice": 1, "twice": 2}`, "data": `{ "content": "\\u0000 \"text\" ü" }`})
	e.insert(t, "chat_file", row{"file_id": plain})
	e.Unchecked(t, `CREATE TABLE before AS SELECT * FROM file`)
	e.startClocks(t, plain, odd)
	e.discard(t, "e", time.Hour, plain, odd)
	require.False(t, e.exists(t, odd))
	require.EqualValues(t, 0, e.Count(t, `SELECT count(*) FROM chat_file`))

	list, err := e.DB.ListTrash(background(), repo.TrashFilter{})
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, entry := range list {
		require.Equal(t, "/data/uploads/"+entry.FileID+"_report.pdf", entry.Path)
		require.Equal(t, aUser, entry.Owner)
		near(t, time.Hour, time.Until(entry.Until), "until it ends")
		near(t, 0, time.Since(entry.At), "since it was deleted")
		if entry.FileID == odd {
			require.Equal(t, "it's \"odd\"\\ <&> \u2028 \U0001f4a9.pdf", entry.Filename)
		}
	}
	require.Len(t, e.due(t, repo.Vectors, 10), 2)
	for _, id := range []string{plain, odd} {
		r, err := e.restore(t, id)
		require.NoError(t, err)
		require.Equal(t, repo.Restored{}, r)
	}
	require.EqualValues(t, 2, e.Count(t, sameSQL))
	require.Empty(t, e.trash(t, repo.TrashFilter{}))
	n, _ := e.backlog(t, repo.AllKinds...)
	require.Zero(t, n, "of bytes and vectors")
	for _, file := range e.lock(t, repo.Ages{}, plain, odd).Files {
		require.False(t, file.HasGrace, "its grace starts anew")
	}
	require.EqualValues(t, 0, e.Count(t, `SELECT count(*) FROM chat_file`), "nothing mentioned it")
	e.discard(t, "again", time.Hour, plain)
}

func trashTellsColumns(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.Unchecked(t, `ALTER TABLE file ADD COLUMN old TEXT`)
	e.Unchecked(t, `UPDATE file SET old = 'kept'`)
	e.discard(t, "e", time.Hour, id)
	e.Unchecked(t, `ALTER TABLE file DROP COLUMN old`)
	e.Unchecked(t, `ALTER TABLE file ADD COLUMN newer TEXT NOT NULL DEFAULT 'a default'`)
	r, err := e.restore(t, id)
	require.NoError(t, err)
	require.Equal(t, repo.Restored{Dropped: []string{"old"}, Added: []string{"newer"}}, r)
	require.EqualValues(t, 1, e.Count(t, `SELECT count(*) FROM file WHERE id = $1 AND newer = 'a default' AND filename = 'report.pdf'`, id))
}

func trashLeavesTheLiving(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.discard(t, "e", time.Hour, id)
	e.file(t, row{"id": id, "filename": "another.pdf"})
	_, err := e.restore(t, id)
	require.ErrorIs(t, err, repo.ErrLivesAgain)
	require.EqualValues(t, 1, e.Count(t, `SELECT count(*) FROM file WHERE id = $1 AND filename = 'another.pdf'`, id))
	require.Equal(t, []string{id}, e.trash(t, repo.TrashFilter{}))
	n, _ := e.backlog(t, repo.AllKinds...)
	require.EqualValues(t, 2, n)
}

// trashTellsClaims: what ended leaves the trash before its bytes do; what shares its bytes
// with a file that ended earlier stays, and says so. In a bucket names have folders.
func trashTellsClaims(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.discard(t, "e", time.Hour, ids...)
	name := func(id string) repo.Tombstone {
		return repo.Tombstone{Kind: repo.Bytes, FileID: "another", Name: id + "_report.pdf"}
	}
	e.Exec(t, `UPDATE `+e.Own("trash")+` SET made_at = $1 WHERE file_id = $2`, e.Moment(time.Now().Add(-2*time.Hour)), ids[0])
	inFolder := name(ids[1])
	inFolder.Name = "team/" + inFolder.Name
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.ClaimBytes(ctx, tx, []repo.Tombstone{name(ids[0]), inFolder, {Kind: repo.Vectors, FileID: ids[2]}}))
	})
	list, err := e.DB.ListTrash(background(), repo.TrashFilter{})
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, entry := range list {
		require.NotEqual(t, ids[0], entry.FileID)
		require.Equal(t, entry.FileID == ids[1], entry.BytesGone)
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, found, err := e.DB.LockTrash(ctx, tx, ids[0])
		require.NoError(t, err)
		require.False(t, found)
	})
}

func trashIsFiltered(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	for i, id := range ids {
		e.discard(t, "event-"+string(rune('a'+i)), time.Hour, id)
		e.Exec(t, `UPDATE `+e.Own("trash")+` SET made_at = $1 WHERE file_id = $2`, e.Moment(time.Now().Add(time.Duration(i-3)*10*time.Minute)), id)
	}
	for _, c := range []struct {
		filter repo.TrashFilter
		want   []string
	}{
		{repo.TrashFilter{}, ids},
		{repo.TrashFilter{IDs: []string{ids[2], ids[0], "none"}}, []string{ids[0], ids[2]}},
		{repo.TrashFilter{EventID: "event-b"}, ids[1:2]},
		{repo.TrashFilter{EventID: "event-b", IDs: ids[:1]}, nil},
		{repo.TrashFilter{Since: time.Now().Add(-25 * time.Minute)}, ids[1:]},
		{repo.TrashFilter{Before: time.Now().Add(-15 * time.Minute)}, ids[:2]},
	} {
		require.Equal(t, c.want, e.trash(t, c.filter), "%+v", c.filter)
	}
	e.Exec(t, `UPDATE `+e.Own("trash")+` SET size = 10, bytes_gone = (file_id = $1)`, ids[1])
	sum, err := e.DB.SumTrash(background())
	require.NoError(t, err)
	require.EqualValues(t, 3, sum.Files)
	require.EqualValues(t, 20, sum.Bytes, "those that were claimed are not kept")
	near(t, 30*time.Minute, sum.Oldest, "since the first was deleted")
	require.NoError(t, e.DB.EmptyTrash(background(), ids, 0))
	sum, err = e.DB.SumTrash(background())
	require.NoError(t, err)
	require.Equal(t, repo.TrashSum{}, sum)
}

func trashEnds(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.discard(t, "e", time.Hour, ids...)
	for i, at := range []time.Time{time.Now().Add(-2 * time.Hour), time.Now().Add(-time.Minute), time.Now().Add(48 * time.Hour)} {
		e.Exec(t, `UPDATE `+e.Own("trash")+` SET made_at = $1 WHERE file_id = $2`, e.Moment(at), ids[i])
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, err := e.DB.BeginSweep(ctx, tx) // mends times
		require.NoError(t, err)
	})
	require.NoError(t, e.DB.ExpireOld(background(), 0))
	require.Equal(t, ids[1:], e.trash(t, repo.TrashFilter{}))
	list, err := e.DB.ListTrash(background(), repo.TrashFilter{IDs: ids[2:]})
	require.NoError(t, err)
	near(t, time.Hour, time.Until(list[0].Until), "by a clock that was ahead")
}

func trashIsEmptied(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.discard(t, "e", time.Hour, ids...)
	require.NoError(t, e.DB.EmptyTrash(background(), ids[:1], 0))
	require.NoError(t, e.DB.EmptyTrash(background(), ids[1:2], 10*time.Minute))
	require.NoError(t, e.DB.EmptyTrash(background(), []string{"none"}, 0))
	require.Equal(t, ids[2:], e.trash(t, repo.TrashFilter{}))
	require.Equal(t, ids[:1], fileIDs(e.due(t, repo.Bytes, 10)))
	require.NoError(t, e.DB.EmptyTrash(background(), ids, 2*time.Hour))
	e.Exec(t, `DELETE FROM `+e.Own("tombstone")+` WHERE file_id = $1`, ids[0])
	_, in := e.backlog(t, repo.Bytes)
	near(t, 10*time.Minute, in, "until the second is due")
}

func trashIsOptional(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.discard(t, "e", 0, id)
	require.Empty(t, e.trash(t, repo.TrashFilter{}))
}

func trashKeepsLast(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.discard(t, "first", time.Hour, id)
	e.file(t, row{"id": id, "filename": "another.pdf", "path": "/data/uploads/" + id + "_report.pdf"})
	e.discard(t, "second", time.Hour, id)
	require.Empty(t, e.trash(t, repo.TrashFilter{EventID: "first"}))
	require.Equal(t, []string{id}, e.trash(t, repo.TrashFilter{EventID: "second"}))
	_, err := e.restore(t, id)
	require.NoError(t, err)
	require.EqualValues(t, 1, e.Count(t, `SELECT count(*) FROM file WHERE filename = 'another.pdf'`))
}
