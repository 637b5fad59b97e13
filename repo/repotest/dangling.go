package repotest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// danglingCases are what every engine promises about rows that nothing in the application
// can reach.
var danglingCases = map[string]func(*testing.T, Engine){
	"dangling: those without a parent go, and no other": danglingRowsGo,
	"dangling: a parent that came keeps":                parentThatCameKeeps,
	"dangling: a table without parents says nothing":    emptyParentsSayNothing,
	"dangling: what is served alone stays":              servedAloneStays,
	"dangling: what one mentioned is free":              danglingMentionIsFreed,
}

const goneParent = "a-parent-that-is-gone"

// link inserts a row with a parent, and returns its id.
func (e Engine) link(t testing.TB, p openwebui.Parent, parent string) string {
	t.Helper()
	r := row{}
	if strings.HasSuffix(p.Child, "_file") {
		r["file_id"] = e.file(t, nil)
	}
	r[p.Column] = parent
	return e.insertWith(t, e.Unchecked, p.Child, r)
}

// allDangling lists the dangling rows of a table, one a page.
func (e Engine) allDangling(t testing.TB, table string) (ids []string) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		for after := ""; ; {
			page, err := e.DB.ListDangling(ctx, tx, table, after, 1)
			require.NoError(t, err)
			if len(page) == 0 {
				return
			}
			require.Len(t, page, 1)
			ids, after = append(ids, page...), page[0]
		}
	})
	return ids
}

func (e Engine) countDangling(t testing.TB) (counts []repo.DanglingCount) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		counts, err = e.DB.CountDangling(ctx, tx)
		require.NoError(t, err)
	})
	return counts
}

func (e Engine) removeDangling(t testing.TB, table string, ids ...string) (n int64) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		n, err = e.DB.RemoveDangling(ctx, tx, table, ids)
		require.NoError(t, err)
	})
	return n
}

// danglingRowsGo: every link of the list is one of the application's own, and tells.
func danglingRowsGo(t *testing.T, e Engine) {
	e.parents(t)
	there := map[string]string{"channel": aChannel, "message": aMessage, "chat": aChat, "knowledge": aKnowledge, "user": aUser}
	living, gone := map[string][]string{"message": {aMessage}}, map[string][]string{}
	for _, p := range openwebui.Dangling {
		parent := there[p.Table]
		if p.Table == "file" {
			parent = e.file(t, nil)
		}
		living[p.Child] = append(living[p.Child], e.link(t, p, parent))
		gone[p.Child] = append(gone[p.Child], e.link(t, p, goneParent), e.link(t, p, goneParent+"-too"))
	}
	gone["chat_file"] = append(gone["chat_file"], e.insertWith(t, e.Unchecked, "chat_file", row{"chat_id": goneParent, "file_id": goneParent}))
	want := []repo.DanglingCount{}
	for _, table := range openwebui.DanglingTables {
		found := int64(len(gone[table]))
		want = append(want, repo.DanglingCount{Table: table, Found: found, Total: found + int64(len(living[table]))})
		require.ElementsMatch(t, gone[table], e.allDangling(t, table), table)
	}
	require.Equal(t, want, e.countDangling(t))

	for i, table := range openwebui.DanglingTables {
		require.Zero(t, e.removeDangling(t, table))
		require.EqualValues(t, len(gone[table]), e.removeDangling(t, table, append(living[table], gone[table]...)...), table)
		require.EqualValues(t, len(living[table]), e.Count(t, `SELECT count(*) FROM "`+table+`"`), table)
		require.Empty(t, e.allDangling(t, table))
		require.Zero(t, e.removeDangling(t, table, gone[table]...))
		want[i].Found, want[i].Total = 0, int64(len(living[table]))
	}
	require.Equal(t, want, e.countDangling(t))
}

// parentThatCameKeeps: what was listed is looked at again.
func parentThatCameKeeps(t *testing.T, e Engine) {
	e.parents(t)
	for _, p := range openwebui.Dangling {
		id := e.link(t, p, goneParent)
		require.Equal(t, []string{id}, e.allDangling(t, p.Child))
		if p.Table == "file" {
			e.file(t, row{"id": goneParent})
		} else {
			e.insert(t, p.Table, row{"id": goneParent})
		}
		require.Zero(t, e.removeDangling(t, p.Child, id), p.Child)
		require.Empty(t, e.allDangling(t, p.Child))
		e.Unchecked(t, `DELETE FROM "`+p.Table+`" WHERE id = $1`, goneParent)
		require.EqualValues(t, 1, e.removeDangling(t, p.Child, id), p.Child)
	}
}

// emptyParentsSayNothing: a restore may bring them.
func emptyParentsSayNothing(t *testing.T, e Engine) {
	e.parents(t)
	id := e.link(t, openwebui.Parent{Child: "message_reaction", Column: "message_id"}, goneParent)
	lost := e.link(t, openwebui.Parent{Child: "message", Column: "channel_id"}, goneParent)
	e.Unchecked(t, `DELETE FROM channel`)
	require.Empty(t, e.allDangling(t, "message"))
	require.Zero(t, e.removeDangling(t, "message", lost, aMessage))
	for _, count := range e.countDangling(t) {
		require.Equal(t, count.Table == "message_reaction", count.Found > 0, count)
	}
	require.EqualValues(t, 1, e.removeDangling(t, "message_reaction", id), "it is asked of each table alone")
}

// servedAloneStays: a shared chat is opened without its chat, the statistics of models
// count messages without it, and a file in a channel is given out without its message.
func servedAloneStays(t *testing.T, e Engine) {
	e.parents(t)
	e.link(t, openwebui.Parent{Child: "shared_chat", Column: "chat_id"}, goneParent)
	e.link(t, openwebui.Parent{Child: "chat_message", Column: "chat_id"}, goneParent)
	file := e.link(t, openwebui.Parent{Child: "channel_file", Column: "message_id"}, goneParent)
	for _, count := range e.countDangling(t) {
		require.Zero(t, count.Found, count)
	}
	require.Zero(t, e.removeDangling(t, "channel_file", file))
	for _, table := range []string{"shared_chat", "chat_message"} {
		require.NotContains(t, openwebui.DanglingTables, table)
		require.Empty(t, e.allDangling(t, table))
		require.Zero(t, e.removeDangling(t, table, goneParent))
	}
}

// danglingMentionIsFreed: a webhook lives by itself for the search for files, until it goes.
func danglingMentionIsFreed(t *testing.T, e Engine) {
	e.parents(t)
	file := e.file(t, nil)
	hook := e.insertWith(t, e.Unchecked, "channel_webhook", row{"channel_id": goneParent, "profile_image_url": "/api/v1/files/" + file + "/content"})
	e.settle(t, file)
	require.Equal(t, "channel_webhook", e.look(t, file).Referenced[file].Table)
	require.EqualValues(t, 1, e.removeDangling(t, "channel_webhook", hook))
	e.free(t, file)
	e.refresh(t)
	e.free(t, file)
}
