package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// Every mention is told with its place, whether it is read from the index or from
// a row that changed; what keeps nothing is not told.
func TestReferencesAreTold(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := testenv.NewFile(t, d.Pool)
	chat := testenv.InsertChat(t, d.Pool, testenv.Chat{})
	d.Exec(t, `UPDATE chat SET chat = $1 WHERE id = $2`, `{"files":[{"id":"x"},{"id":"`+id+`","url":"/api/v1/files/`+id+`"}]}`, chat.ID)
	note := insertMention(t, d, id)
	d.Exec(t, `CREATE TABLE keyless (v text); INSERT INTO keyless VALUES ('`+id+`')`)
	testenv.InsertMessage(t, d.Pool, "no such channel", id)
	want := []repo.Mention{
		{Table: "chat", Row: chat.ID, Column: "chat", Path: "files[1].id", Title: chat.Title, Owner: chat.UserID},
		{Table: "chat", Row: chat.ID, Column: "chat", Path: "files[1].url", Title: chat.Title, Owner: chat.UserID},
		{Table: "note", Row: note, Column: "title"},
		{Table: "keyless", Column: "v"},
	}
	refresh(t, db)
	for range 2 {
		inTx(t, db, func(tx tx) {
			found, err := db.ListReferences(t.Context(), tx, id)
			require.NoError(t, err)
			require.ElementsMatch(t, want, found)
		})
		readAll(t, d, db)
	}
	inTx(t, db, func(tx tx) {
		found, err := db.ListReferences(t.Context(), tx, testenv.NewID())
		require.NoError(t, err)
		require.Empty(t, found)
	})
}

func TestRowIsTold(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	f := testenv.InsertFile(t, d.Pool, testenv.File{Status: "failed", CreatedAt: time.Now().Add(-time.Hour)})
	info, exists, err := db.DescribeFile(t.Context(), f.ID)
	require.NoError(t, err)
	require.True(t, exists)
	require.Equal(t, f.Path, info.Path)
	require.Equal(t, "failed", info.Status)
	require.InDelta(t, time.Hour.Seconds(), info.Age.Seconds(), 120)
	d.Exec(t, `UPDATE file SET data = NULL, path = NULL, created_at = NULL`)
	info, exists, err = db.DescribeFile(t.Context(), f.ID)
	require.NoError(t, err)
	require.True(t, exists)
	require.Zero(t, info)
	_, exists, err = db.DescribeFile(t.Context(), "gone")
	require.NoError(t, err)
	require.False(t, exists)
}
