package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

const dropLinkKeys = `
ALTER TABLE chat_file DROP CONSTRAINT chat_file_chat_id_fkey, DROP CONSTRAINT chat_file_file_id_fkey;
ALTER TABLE knowledge_file DROP CONSTRAINT knowledge_file_knowledge_id_fkey, DROP CONSTRAINT knowledge_file_file_id_fkey;
ALTER TABLE channel_file DROP CONSTRAINT channel_file_file_id_fkey,
    ADD CONSTRAINT weak FOREIGN KEY (file_id) REFERENCES file ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED`

// In a database that was copied by hand links have no foreign keys: a link whose
// parent is there keeps its file like any mention, and dead ones are deleted with
// it.
func TestLinksWithoutForeignKeys(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	missing, err := db.MissingForeignKeys(t.Context())
	require.NoError(t, err)
	require.Empty(t, missing)
	d.Exec(t, dropLinkKeys)
	missing, err = db.MissingForeignKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"channel_file", "chat_file", "knowledge_file"}, missing)

	ids := newFiles(t, d, 6)
	chat, channel := testenv.InsertChat(t, d.Pool, testenv.Chat{}), testenv.InsertChannel(t, d.Pool)
	testenv.LinkChat(t, d.Pool, chat.ID, ids[0])
	testenv.LinkChannel(t, d.Pool, channel, ids[1])
	testenv.InsertKnowledge(t, d.Pool, ids[2])
	refresh(t, db)
	requireKept(t, db, ids[:3]...)
	readAll(t, d, db)
	requireKept(t, db, ids[:3]...)
	requireFree(t, db, ids[3:]...)

	// Without a foreign key to it, a missing parent says nothing.
	testenv.LinkChat(t, d.Pool, "no such chat", ids[5])
	requireKept(t, db, ids[5])

	// A link to a chat that is made after the look stays for the last look to
	// find: it was committed first, and keeps its file.
	appeared, err := deletion(db, ids[3:5], func() { testenv.LinkChat(t, d.Pool, chat.ID, ids[3]) })
	require.NoError(t, err)
	require.Len(t, appeared, 1)
	require.Equal(t, "chat_file", appeared[ids[3]].Table)
}

// What a dropped foreign key would have cascaded to is deleted by us, once
// nothing that lives is linked.
func TestDeadLinksAreDeletedWithTheirFile(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	d.Exec(t, `ALTER TABLE chat_file DROP CONSTRAINT chat_file_file_id_fkey`)
	d.Exec(t, `ALTER TABLE channel_file DROP CONSTRAINT channel_file_file_id_fkey`)
	d.Exec(t, `ALTER TABLE knowledge_file DROP CONSTRAINT knowledge_file_file_id_fkey`)
	ids := newFiles(t, d, 2)
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	testenv.InsertChannel(t, d.Pool)
	testenv.InsertKnowledge(t, d.Pool)
	for _, id := range ids {
		for _, parent := range []string{"chat", "channel", "knowledge"} {
			unchecked(t, d, `INSERT INTO `+parent+`_file (id, user_id, `+parent+`_id, file_id, created_at, updated_at)
				VALUES (gen_random_uuid(), 'u', 'gone', $1, 1, 1)`, id)
		}
	}
	refresh(t, db)
	requireFree(t, db, ids...)
	appeared, err := deletion(db, ids[:1], nothing)
	require.NoError(t, err)
	require.Empty(t, appeared)
	for _, table := range []string{"chat_file", "channel_file", "knowledge_file"} {
		require.Equal(t, ids[1:], testenv.Column[string](t, d, `SELECT file_id FROM `+table), table)
	}
}
