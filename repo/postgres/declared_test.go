package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// idleKeys are the ways in which a foreign key of table CHILD to table PARENT, by
// column KEYED, is declared and does nothing.
var idleKeys = map[string]string{
	"dropped": `ALTER TABLE CHILD DROP CONSTRAINT CHILD_KEYED_fkey`,
	"not valid": `ALTER TABLE CHILD DROP CONSTRAINT CHILD_KEYED_fkey,
		ADD CONSTRAINT CHILD_KEYED_fkey FOREIGN KEY (KEYED) REFERENCES PARENT ON DELETE CASCADE NOT VALID`,
	"not enforced":                 `ALTER TABLE CHILD ALTER CONSTRAINT CHILD_KEYED_fkey NOT ENFORCED`,
	"triggers of the child off":    `ALTER TABLE CHILD DISABLE TRIGGER ALL`,
	"triggers of the parent off":   `ALTER TABLE PARENT DISABLE TRIGGER ALL`,
	"triggers for replicas":        `DO $$ DECLARE g name; BEGIN FOR g IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'CHILD'::regclass LOOP EXECUTE format('ALTER TABLE CHILD ENABLE REPLICA TRIGGER %I', g); END LOOP; END $$`,
	"the application is a replica": `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$`,
	"filled by a subscription":     `INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) VALUES (1, 'CHILD'::regclass, 'r')`,
	"no cascade":                   `ALTER TABLE CHILD DROP CONSTRAINT CHILD_KEYED_fkey, ADD FOREIGN KEY (KEYED) REFERENCES PARENT`,
	"another column": `ALTER TABLE CHILD DROP CONSTRAINT CHILD_KEYED_fkey, ADD COLUMN other text,
		ADD CONSTRAINT CHILD_KEYED_fkey FOREIGN KEY (other) REFERENCES PARENT ON DELETE CASCADE`,
}

func idle(t *testing.T, name, child, column, parent string) string {
	if name == "not enforced" {
		testenv.NeedsNewest(t, "NOT ENFORCED")
	}
	return replaced(replaced(replaced(idleKeys[name], "CHILD", child), "KEYED", column), "PARENT", parent)
}

// A foreign key that nobody enforces makes no row dead: a link whose chat is missing
// keeps its file, whatever the catalog declares, from the very look that follows.
func TestDeclaredKeyIsNoFact(t *testing.T) {
	t.Parallel()
	for name := range idleKeys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			change := idle(t, name, "chat_file", "chat_id", "chat")
			ids := newFiles(t, d, 3)
			testenv.InsertChat(t, d.Pool, testenv.Chat{})
			unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('old', 'u', 'gone', $1, 1, 1)`, ids[0])
			refresh(t, db)
			readAll(t, d, db)
			requireFree(t, db, ids...)
			if name != "no cascade" {
				d.Exec(t, change)
			} else {
				d.Exec(t, `DELETE FROM chat_file`)
				d.Exec(t, change)
				unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('old', 'u', 'gone', $1, 1, 1)`, ids[0])
			}
			insert := func(sql string, args ...any) int64 { return unchecked(t, d, sql, args...) }
			if name == "triggers for replicas" {
				insert = func(sql string, args ...any) int64 { return d.Exec(t, sql, args...) }
			}
			insert(`INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('new', 'u', 'gone', $1, 1, 1)`, ids[1])
			refresh(t, db)
			for range 2 {
				requireKept(t, db, ids[:2]...)
				requireFree(t, db, ids[2])
				readAll(t, d, db)
			}
			found := examined(t, db, "foreign keys")
			require.False(t, found.OK)
			require.Contains(t, found.Detail+found.Remedy, "chat_file")
		})
	}
}

// A link table whose key to table file does nothing is locked by strict deletions
// like any other, and its dead links are deleted by us.
func TestDeclaredKeyToFileIsNoFact(t *testing.T) {
	t.Parallel()
	for name := range idleKeys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, plain := newDB(t)
			change := idle(t, name, "chat_file", "file_id", "file")
			ids := newFiles(t, d, 3)
			chat := testenv.InsertChat(t, d.Pool, testenv.Chat{}).ID
			d.Exec(t, change)
			testenv.LinkChat(t, d.Pool, chat, ids[0])
			refresh(t, plain)
			requireKept(t, plain, ids[0])
			missing, err := plain.MissingForeignKeys(t.Context())
			require.NoError(t, err)
			require.Contains(t, missing, "chat_file")
			conn := d.Conn(t)
			exec(t, conn, `SET lock_timeout = '100ms'`)
			require.NoError(t, wholeDeletion(strict(t, d), ids[1:2], nothing, func() {
				_, err := conn.Exec(t.Context(), `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at)
					VALUES ('l', 'u', $1, $2, 1, 1)`, chat, ids[1])
				require.Equal(t, lockNotAvailable, sqlState(err))
			}))
			requireAll(t, d, 2)
		})
	}
}

// A key that is enforced says nothing of rows that were written while it was not: as
// long as no parent is there at all, they are still to come.
func TestDeclaredKeyOfAnInterruptedRestore(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 4)
	for table, column := range map[string]string{"chat_file": "chat_id", "channel_file": "channel_id", "knowledge_file": "knowledge_id"} {
		unchecked(t, d, `INSERT INTO `+table+` (id, user_id, `+column+`, file_id, created_at, updated_at) VALUES ('l', 'u', 'later', $1, 1, 1)`,
			ids[map[string]int{"chat_file": 0, "channel_file": 1, "knowledge_file": 2}[table]])
	}
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[:3]...)
		requireFree(t, db, ids[3])
		readAll(t, d, db)
	}
}

// Only the links of Open WebUI's own live by a parent: what a plugin's rows do
// without one is the plugin's, and a chat is shared after it was deleted.
func TestDeclaredKeyOfOthersIsNoFact(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 5)
	d.Exec(t, `CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
		CREATE TABLE plugin (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE, v text);
		CREATE TABLE deferred (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, v text)`)
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	testenv.InsertChannel(t, d.Pool)
	unchecked(t, d, `INSERT INTO plugin VALUES (1, 5, $1)`, ids[0])
	unchecked(t, d, `INSERT INTO deferred VALUES (1, 5, $1)`, ids[1])
	unchecked(t, d, `INSERT INTO shared_chat (id, chat_id, user_id, title, chat, created_at, updated_at) VALUES ('s', 'gone', 'u', 't', to_json($1::text), 1, 1)`, ids[2])
	unchecked(t, d, `INSERT INTO channel_webhook (id, channel_id, user_id, name, profile_image_url, token, created_at, updated_at) VALUES ('w', 'gone', 'u', 'n', $1, 't', 1, 1)`, ids[3])
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[:4]...)
		requireFree(t, db, ids[4])
		readAll(t, d, db)
	}
}

// Messages live by their channel, for which there is no key. Where the two cannot
// even be compared, after a migration by hand, nothing follows from it.
func TestDeclaredTypesOfMessagesDiffer(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	testenv.InsertChannel(t, d.Pool)
	testenv.InsertMessage(t, d.Pool, "12", "", ids[0])
	refresh(t, db)
	requireFree(t, db, ids...)
	d.Exec(t, `ALTER TABLE message ALTER channel_id TYPE bigint USING channel_id::bigint`)
	refresh(t, db)
	_, err := tryLook(db, ids...) // by a statement that was made for text
	require.Equal(t, repo.Passing, repo.KindOf(err))
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1])
}
