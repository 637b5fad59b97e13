package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// citing are the places where the application writes what an answer cites; ID
// stands for the file's, and a chat is there.
var citing = []string{
	`UPDATE chat SET chat = '{"history":{"messages":{"m":{"content":"c","sources":[{"source":{"id":"ID"},"metadata":[{"file_id":"ID"}]}]}}}}' WHERE id = 'c1'`,
	`UPDATE chat SET chat = '{"messages":[{"sources":[{"source":{"id":"ID"}}]}]}' WHERE id = 'c2'`,
	`INSERT INTO shared_chat (id, chat_id, user_id, chat) VALUES ('s', 'c1', 'u', '{"history":{"messages":{"m":{"sources":["ID"]}}}}')`,
	`INSERT INTO chat_message (id, chat_id, role, sources) VALUES ('m1', 'c1', 'assistant', '[{"source":{"id":"ID"}}]')`,
	`INSERT INTO feedback (id, created_at, updated_at, snapshot) VALUES ('f1', 1, 1, '{"chat":{"chat":{"history":{"messages":{"m":{"sources":["ID"]}}}}}}')`,
}

// using are mentions beside them, and in places that look alike.
var using = []string{
	`UPDATE chat SET chat = '{"history":{"messages":{"m":{"files":[{"id":"ID"}],"sources":["ID"]}}}}' WHERE id = 'c3'`,
	`UPDATE chat SET chat = '{"history":{"messages":{"sources":{"files":[{"id":"ID"}]}}}}' WHERE id = 'c4'`,
	`UPDATE chat SET chat = '{"sources":["ID"]}', meta = '{}' WHERE id = 'c5'`,
	`UPDATE chat SET meta = '{"messages":[{"sources":["ID"]}]}' WHERE id = 'c6'`,
	`INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n', 'u', 't', '{"messages":[{"sources":["ID"]}]}', 1, 1)`,
	`INSERT INTO chat_message (id, chat_id, role, sources, files) VALUES ('m2', 'c1', 'user', '["ID"]', '["ID"]')`,
	`INSERT INTO feedback (id, created_at, updated_at, snapshot) VALUES ('f2', 1, 1, '{"history":{"messages":{"m":{"sources":["ID"]}}}}')`,
}

func sayAll(t testing.TB, d *testenv.Database, sayings []string) (ids []string) {
	t.Helper()
	for _, sql := range sayings {
		id := testenv.NewFile(t, d.Pool)
		d.Exec(t, withID(sql, id))
		ids = append(ids, id)
	}
	return ids
}

func TestCitations(t *testing.T) {
	t.Parallel()
	d, keeping := newDB(t)
	ignoring := openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, CitationsIgnore: true})
	for _, id := range []string{"c1", "c2", "c3", "c4", "c5", "c6"} {
		testenv.InsertChat(t, d.Pool, testenv.Chat{ID: id, Title: "Chat " + id})
	}
	refresh(t, keeping)
	cited, used := sayAll(t, d, citing), sayAll(t, d, using)
	pass(t, keeping)
	for range 2 {
		requireKept(t, keeping, append(cited, used...)...)
		readAll(t, d, keeping)
	}
	require.Equal(t, []string{
		"chat c1 chat history.messages.m.sources[0].metadata[0].file_id Chat c1 cites",
		"chat c1 chat history.messages.m.sources[0].source.id Chat c1 cites",
	}, told(t, keeping, cited[0]))
	require.Equal(t, []string{"chat_message m1 sources [0].source.id Chat c1 cites"}, told(t, keeping, cited[3]))
	both := []string{"chat c3 chat history.messages.m.files[0].id Chat c3", "chat c3 chat history.messages.m.sources[0] Chat c3 cites"}
	require.Equal(t, both, told(t, keeping, used[0]))

	// Switching reads the chats again; until then nothing is deleted.
	requireIncomplete(t, ignoring, cited...)
	refresh(t, ignoring)
	for range 2 {
		requireFree(t, ignoring, cited...)
		requireKept(t, ignoring, used...)
		for _, id := range cited {
			require.Empty(t, told(t, ignoring, id))
		}
		require.Equal(t, both[:1], told(t, ignoring, used[0]))
		d.Exec(t, `UPDATE chat SET updated_at = 2`) // so that they are read by the looks
		d.Exec(t, `UPDATE chat_message SET role = 'x'`)
	}
	appeared, err := deletion(ignoring, cited[1:2], func() { d.Exec(t, withID(strings.ReplaceAll(citing[0], "c1", "c2"), cited[1])) })
	require.NoError(t, err)
	require.Empty(t, appeared)
	requireAll(t, d, len(cited)+len(used)-1)

	requireIncomplete(t, keeping, used...)
	refresh(t, keeping)
	requireKept(t, keeping, append(cited[2:], used...)...)
}

// told are the mentions of a file, a line each.
func told(t testing.TB, db *postgres.DB, id string) (lines []string) {
	t.Helper()
	inTx(t, db, func(tx tx) {
		found, err := db.ListReferences(t.Context(), tx, id)
		require.NoError(t, err)
		for _, m := range found {
			lines = append(lines, strings.Join(strings.Fields(strings.Join([]string{m.Table, m.Row, m.Column, m.Path, m.Title, map[bool]string{true: "cites"}[m.Cites]}, " ")), " "))
		}
	})
	return lines
}

// A row of a chat's tells which chat that is, and whose.
func TestChatsAreTold(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := testenv.NewFile(t, d.Pool)
	chat := testenv.InsertChat(t, d.Pool, testenv.Chat{Title: "About it", UserID: "somebody", Files: []string{id}})
	testenv.LinkChat(t, d.Pool, chat.ID, id)
	d.Exec(t, `INSERT INTO shared_chat (id, chat_id, user_id, title, chat) VALUES ('s', $1, 'another', 'older', to_json($2::text))`, chat.ID, id)
	d.Exec(t, `INSERT INTO chat_message (id, chat_id, role, content) VALUES ('m', $1, 'user', to_json($2::text))`, chat.ID, id)
	testenv.InsertNote(t, d.Pool, id)
	refresh(t, db)
	inTx(t, db, func(tx tx) {
		found, err := db.ListReferences(t.Context(), tx, id)
		require.NoError(t, err)
		tables := map[string]repo.Mention{}
		for _, m := range found {
			tables[m.Table] = repo.Mention{Title: m.Title, Owner: m.Owner}
		}
		about := repo.Mention{Title: "About it", Owner: "somebody"}
		require.Equal(t, map[string]repo.Mention{"chat": about, "chat_file": about, "shared_chat": about, "chat_message": about, "note": {}}, tables)
	})
}
